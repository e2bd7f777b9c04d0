import { describe, expect, test } from "@jest/globals";
import {
  commandNamesMax,
  connectionsMax,
  createRegistry,
  noConnectionId,
  otherCommand,
} from "../../../agent/instrument/registry";
import type { ToWatchdog } from "../../../agent/model/wire";

const local = {
  client: "ioredis",
  protocol: "redis",
  host: "127.0.0.1",
  port: 6400,
  localPort: 50_000,
} as const;

function recordingRegistry() {
  const posted: ToWatchdog[] = [];
  return { posted, registry: createRegistry((message) => posted.push(message)) };
}

describe("command names", () => {
  test("are kept in upper case, once for all spellings, and posted once", () => {
    const { posted, registry } = recordingRegistry();
    const ids = ["expire", "EXPIRE", "Expire", "expire"].map(registry.redisCommandId);
    expect(new Set(ids).size).toBe(1);
    expect(posted).toEqual([{ kind: "command-name", id: ids[0], name: "EXPIRE" }]);
    expect(registry.snapshot().commandNames[ids[0] as number]).toBe("EXPIRE");
  });

  test("of other protocols keep their case", () => {
    const { registry } = recordingRegistry();
    const id = registry.nameId("basic.ack");
    expect(registry.snapshot().commandNames[id]).toBe("basic.ack");
    expect(registry.nameId("basic.ack")).toBe(id);
  });

  test("share one when the table is full, and those known before keep their own", () => {
    const { posted, registry } = recordingRegistry();
    const get = registry.redisCommandId("get");
    for (let i = 0; i < commandNamesMax + 10; i++) registry.redisCommandId(`made.up${i}`);
    const { commandNames } = registry.snapshot();
    expect(commandNames).toHaveLength(commandNamesMax);
    expect(posted).toHaveLength(commandNamesMax - 1);
    expect(commandNames[registry.redisCommandId("one.more")]).toBe(otherCommand);
    expect(registry.redisCommandId("get")).toBe(get);
  });

  test.each([
    ["longer than any command", "x".repeat(25)],
    ["a value in the wrong place", "user:42 secret"],
    ["empty", ""],
    ["no text", Buffer.from("get") as unknown as string],
    ["nothing", undefined as unknown as string],
  ])("that cannot be one are not kept: %s", (_what, spelling) => {
    const { posted, registry } = recordingRegistry();
    expect(registry.redisCommandId(spelling)).toBe(0);
    expect(registry.snapshot().commandNames).toEqual([otherCommand]);
    expect(posted).toEqual([]);
  });
});

describe("connections", () => {
  test("have an id of their own each, are posted, and leave the snapshot when closed", () => {
    const { posted, registry } = recordingRegistry();
    const first = registry.connectionOpened(local);
    const second = registry.connectionOpened({ ...local, localPort: 50_001 });
    registry.connectionClosed(first, 12.5);
    registry.connectionClosed(first, 13);
    expect(posted).toEqual([
      { kind: "connection", connection: { id: first, ...local } },
      { kind: "connection", connection: { id: second, ...local, localPort: 50_001 } },
      { kind: "connection-closed", id: first, atMs: 12.5 },
    ]);
    expect(registry.snapshot().connections.map(({ id }) => id)).toEqual([second]);
  });

  test("get the id that was closed longest ago once all have been given, and none when all are open", () => {
    const { registry } = recordingRegistry();
    const ids = Array.from({ length: connectionsMax }, () => registry.connectionOpened(local));
    expect(new Set(ids).size).toBe(connectionsMax);
    expect([ids.at(0), ids.at(-1)]).toEqual([1, connectionsMax]);
    expect(registry.connectionOpened(local)).toBe(noConnectionId);
    registry.connectionClosed(700, 1);
    registry.connectionClosed(7, 2);
    expect(registry.connectionOpened(local)).toBe(700);
    expect(registry.connectionOpened(local)).toBe(7);
    expect(registry.connectionOpened(local)).toBe(noConnectionId);
    expect(registry.snapshot().connections).toHaveLength(connectionsMax);
  });
});
