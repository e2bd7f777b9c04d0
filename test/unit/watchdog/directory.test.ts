import { expect, test } from "@jest/globals";
import { ms } from "../../../agent/model/units";
import { createDirectory, serverLabel } from "../../../agent/watchdog/directory";

const connection = (id: number, port: number | null) => ({
  id,
  client: "ioredis",
  protocol: "redis" as const,
  host: port === null ? null : "127.0.0.1",
  port,
  localPort: 5001,
});
const entry = (commandId: number, connectionId: number) => ({ commandId, connectionId });

test("what is remembered of a command and connection is made once", () => {
  const directory = createDirectory(["OTHER", "GET"], [connection(1, 6379)]);
  const made: string[] = [];
  const lookUp = directory.remember(({ command, server }) => made.push(`${command} ${server}`));
  expect([lookUp(entry(1, 1)), lookUp(entry(1, 1)), lookUp(entry(0, 1))]).toEqual([1, 1, 2]);
  expect(made).toEqual(["GET 127.0.0.1:6379", "OTHER 127.0.0.1:6379"]);
});

test("nothing is remembered of names that are still on their way", () => {
  const directory = createDirectory(["OTHER"], []);
  const lookUp = directory.remember(({ command, server }) => `${command} ${server}`);
  expect(lookUp(entry(1, 1))).toBeNull();
  directory.addName(1, "TTL");
  expect(lookUp(entry(1, 1))).toBeNull();
  directory.addConnection(connection(1, null));
  expect(lookUp(entry(1, 1))).toBe("TTL local");
});

test("a connection that has the number of an earlier one is not taken for it", () => {
  const directory = createDirectory(["OTHER"], [connection(1, 6379)]);
  const lookUp = directory.remember(({ server }) => server);
  expect(lookUp(entry(0, 1))).toBe("127.0.0.1:6379");
  directory.closeConnection(1, ms(10), null);
  directory.addConnection(connection(1, 6380));
  expect(lookUp(entry(0, 1))).toBe("127.0.0.1:6380");
});

test("more pairs than are remembered are looked up, not lost", () => {
  const directory = createDirectory(
    ["OTHER"],
    Array.from({ length: 10_000 }, (_, id) => connection(id, id)),
  );
  const lookUp = directory.remember(({ server }) => server);
  for (let id = 0; id < 10_000; id++) expect(lookUp(entry(0, id))).toBe(`127.0.0.1:${id}`);
  expect(lookUp(entry(0, 1))).toBe("127.0.0.1:1");
});

test("a server is named by its address, and as local without one", () => {
  expect([
    serverLabel(connection(1, 6379)),
    serverLabel(connection(1, null)),
    serverLabel(null),
  ]).toEqual(["127.0.0.1:6379", "local", "local"]);
});
