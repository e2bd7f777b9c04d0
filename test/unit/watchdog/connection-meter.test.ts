import { expect, test } from "@jest/globals";
import { meterConnections } from "../../../agent/connection-meter";
import type { ConnectionInfo } from "../../../agent/model/command";
import { createMetrics } from "../../../exporters/metrics-store";

const connection = (id: number, port: number | null = 6379): ConnectionInfo => ({
  id,
  client: "ioredis",
  protocol: "redis",
  host: port === null ? null : "10.0.0.1",
  port,
  localPort: port === null ? null : 40_000 + id,
});

function counts(metrics: ReturnType<typeof createMetrics>) {
  const read = (name: string) =>
    metrics
      .families()
      .filter(({ definition }) => definition.name === name)
      .flatMap((family) => family.read())
      .map(({ labels, state }) => [labels["client"], labels["server"], state]);
  return {
    open: read("loophound_connections"),
    opened: read("loophound_connections_opened_total"),
    closed: read("loophound_connections_closed_total"),
  };
}

test("a storm of connections shows in what was opened and closed, by server", () => {
  const metrics = createMetrics();
  const meter = meterConnections(metrics, [connection(1)]);
  for (let id = 2; id <= 100; id++) {
    meter.opened(connection(id));
    meter.closed(id);
  }
  meter.opened(connection(200, null));
  expect(counts(metrics)).toEqual({
    open: [
      ["ioredis", "10.0.0.1:6379", 1],
      ["ioredis", "local", 1],
    ],
    opened: [
      ["ioredis", "10.0.0.1:6379", 100],
      ["ioredis", "local", 1],
    ],
    closed: [
      ["ioredis", "10.0.0.1:6379", 99],
      ["ioredis", "local", 0],
    ],
  });
});

test("the connections of a thread end with it, and each is counted once", () => {
  const metrics = createMetrics();
  const [one, other] = [meterConnections(metrics, []), meterConnections(metrics, [connection(1)])];
  one.opened(connection(1));
  one.opened(connection(2));
  one.closed(2);
  one.closed(2);
  one.closed(77);
  one.end();
  one.end();
  expect(counts(metrics)).toEqual({
    open: [["ioredis", "10.0.0.1:6379", 1]],
    opened: [["ioredis", "10.0.0.1:6379", 3]],
    closed: [["ioredis", "10.0.0.1:6379", 2]],
  });
  other.end();
});

test("an id that is given again stands for the new connection alone", () => {
  const metrics = createMetrics();
  const meter = meterConnections(metrics, [connection(1, 6379)]);
  meter.opened(connection(1, 7000));
  expect(counts(metrics).open).toEqual([
    ["ioredis", "10.0.0.1:6379", 0],
    ["ioredis", "10.0.0.1:7000", 1],
  ]);
});
