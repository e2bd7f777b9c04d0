import { describe, expect, test } from "@jest/globals";
import type { CommandRecord, ConnectionInfo } from "../../../agent/model/command";
import { ms } from "../../../agent/model/units";
import { createAmqpConnections } from "../../../agent/watchdog/amqp-connections";

const connection = (id: number, changes: Partial<ConnectionInfo> = {}): ConnectionInfo => ({
  id,
  client: "amqplib",
  protocol: "amqp",
  host: "10.0.0.1",
  port: 5672,
  localPort: 40_000 + id,
  heartbeatMs: ms(10_000),
  openedMs: ms(0),
  ...changes,
});

const record = (command: string, changes: Partial<CommandRecord> = {}): CommandRecord => ({
  sequence: 1,
  command,
  connection: connection(1),
  state: "replied",
  calledMs: ms(5_000),
  sentMs: ms(5_000),
  repliedMs: null,
  ahead: 0,
  askedMs: null,
  ...changes,
});

describe("connections exposed to a stall", () => {
  test("are those with a heartbeat that were open when it began, by server", () => {
    const amqp = createAmqpConnections([connection(1), connection(2)]);
    amqp.opened(connection(3, { host: "10.0.0.2", heartbeatMs: ms(2_000) }));
    amqp.opened(connection(4, { heartbeatMs: null }));
    amqp.opened(connection(5, { openedMs: ms(1_500) }));
    amqp.opened(connection(6, { protocol: "redis" }));
    expect(amqp.exposedTo(ms(1_000))).toEqual([
      { host: "10.0.0.2", port: 5672, heartbeatMs: 2_000, connections: 1, ends: [] },
      { host: "10.0.0.1", port: 5672, heartbeatMs: 10_000, connections: 2, ends: [] },
    ]);
  });

  test("tell of their ends since it began, and are forgotten when they ended before", () => {
    const amqp = createAmqpConnections([connection(1), connection(2), connection(3)]);
    amqp.closed(1, ms(900), "CONNECTION_FORCED");
    amqp.closed(2, ms(1_200), "ECONNRESET");
    amqp.closed(2, ms(1_300), "ECONNRESET");
    expect(amqp.exposedTo(ms(1_000))).toMatchObject([
      { connections: 2, ends: [{ atMs: 1_200, reason: "ECONNRESET" }] },
    ]);
  });
});

describe("an operation", () => {
  test("that should be immediate is no wonder in a broker's alarm, before or after it is", () => {
    const amqp = createAmqpConnections([connection(1), connection(2)]);
    const slow = record("basic.get");
    expect(amqp.excuses(slow, ms(5_200))).toBe(false);
    amqp.blocked(1, true, ms(5_100));
    expect(amqp.excuses(slow, ms(5_200))).toBe(true);
    amqp.blocked(1, false, ms(5_150));
    expect(amqp.excuses(slow, ms(5_200))).toBe(true);
    expect(amqp.excuses(record("basic.get", { calledMs: ms(5_160) }), ms(5_300))).toBe(false);
    expect(amqp.excuses(record("basic.get", { connection: connection(2) }), ms(5_200))).toBe(false);
  });

  test("is no wonder right after its connection was opened", () => {
    const amqp = createAmqpConnections([]);
    const young = connection(1, { openedMs: ms(4_500) });
    expect(amqp.excuses(record("channel.open", { connection: young }), ms(5_200))).toBe(true);
    expect(amqp.excuses(record("channel.open"), ms(5_200))).toBe(false);
  });

  test("that took 35 to 45 ms waited for a delayed acknowledgement", () => {
    const amqp = createAmqpConnections([]);
    const lengths = [30, 35, 45, 60];
    expect(lengths.map((length) => amqp.excuses(record("basic.qos"), ms(5_000 + length)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    // It is the round trip that has this length, not the wait in the client.
    const waited = record("basic.qos", { calledMs: ms(4_000) });
    expect(amqp.excuses(waited, ms(5_040))).toBe(true);
  });

  test("that the broker does not answer is no measure of it", () => {
    const amqp = createAmqpConnections([]);
    const measures = ["basic.deliver", "basic.publish", "heartbeat", "queue.bind", "EXPIRE"].map(
      (command) => !amqp.isNoMeasure(record(command), ms(9_000)),
    );
    expect(measures).toEqual([false, false, false, true, true]);
  });
});
