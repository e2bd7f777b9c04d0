// Cases that a real server makes only by luck, on a library that has ioredis' parts and order of
// calls and nothing else. The real ones are in test/clients.

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { faultCounts } from "../../../agent/base/guard";
import { createLedger, ledgerWriter } from "../../../agent/base/ledger";
import { ledgerReader } from "../../../agent/base/ledger-reader";
import { ioredisAdapter } from "../../../agent/instrument/ioredis";
import { createRegistry, type Registry } from "../../../agent/instrument/registry";
import type { Shape } from "../../../agent/instrument/shapes";
import type { Taps } from "../../../agent/instrument/taps";
import { ms } from "../../../agent/model/units";

interface Item {
  readonly command: { readonly name: string };
}

class Queue {
  private readonly items: Item[] = [];
  get length(): number {
    return this.items.length;
  }
  push(item: Item): number {
    return this.items.push(item);
  }
  shift(): Item | undefined {
    return this.items.shift();
  }
  remove(index: number, count: number): Item[] {
    return this.items.splice(index, count);
  }
  peekAt(index: number): Item | undefined {
    return this.items[index];
  }
}

const newStream = () => ({
  remoteAddress: "10.0.0.1",
  remotePort: 6379,
  _destroy(): void {},
});

function fakeLibrary() {
  class DataHandler {
    readonly redis: Redis;
    constructor(redis: Redis) {
      this.redis = redis;
    }
    shiftCommand(_reply: unknown): Item | null {
      return this.redis.commandQueue.shift() ?? null;
    }
  }
  class Redis {
    declare commandQueue: Queue;
    declare offlineQueue: Queue;
    prevCommandQueue: Queue | null = null;
    options = { autoResendUnfulfilledCommands: true };
    stream = newStream();
    replies = new DataHandler(this);
    constructor() {
      this.resetCommandQueue();
      this.resetOfflineQueue();
    }
    resetCommandQueue(): void {
      this.commandQueue = new Queue();
    }
    resetOfflineQueue(): void {
      this.offlineQueue = new Queue();
    }
    sendCommand(): void {}
    send(name: string): Item {
      const item = { command: { name } };
      this.commandQueue.push(item);
      return item;
    }
  }
  return { DataHandler, Redis };
}

type Library = ReturnType<typeof fakeLibrary>;

const buffers: SharedArrayBuffer[] = [];
let stopAll: (() => void)[] = [];
let hooked: string[] = [];
let unfit: string[] = [];
let clientsSeen = 0;
let shapes: readonly Shape[] = [];

function hook(library: Partial<Library>, registry: Registry = createRegistry(() => undefined)) {
  const buffer = createLedger(64);
  buffers.push(buffer);
  let clock = 1;
  const taps: Taps = {
    ledger: ledgerWriter(buffer),
    registry,
    now: () => clock++,
    onHooked: (name) => hooked.push(name),
    onUnfit: (name) => unfit.push(name),
    onClient: () => clientsSeen++,
    keep: (restore) => stopAll.push(restore),
  };
  const targets = ioredisAdapter.targets(taps);
  shapes = ioredisAdapter.shapes?.(taps) ?? [];
  for (const { suffix, adapt } of targets) {
    const exported = library[suffix.slice("/built/".length, -".js".length) as keyof Library];
    if (exported !== undefined) adapt({ default: exported }, `/app/node_modules/ioredis${suffix}`);
  }
  const reader = ledgerReader(buffer);
  return () =>
    reader
      .overlapping(ms(0), ms(Number.POSITIVE_INFINITY), 64)
      .map(({ state }) => state)
      .reverse();
}

const endOfRun = (): Promise<void> => Promise.resolve();

let library: Library;
beforeEach(() => {
  library = fakeLibrary();
  hooked = [];
  unfit = [];
  clientsSeen = 0;
});
afterEach(() => {
  for (const stop of stopAll) stop();
  stopAll = [];
});

describe("a command that leaves its queue", () => {
  test("by an error is failed at the end of the run", async () => {
    const states = hook(library);
    const redis = new library.Redis();
    redis.send("get");
    redis.replies.shiftCommand(new Error("WRONGTYPE"));
    expect(states()).toEqual(["sent"]);
    await endOfRun();
    expect(states()).toEqual(["failed"]);
  });

  test("by an error, and is sent again in the same run, keeps its record", async () => {
    const states = hook(library);
    const redis = new library.Redis();
    const item = redis.send("get");
    redis.replies.shiftCommand(new Error("MOVED 1 10.0.0.2:6379"));
    redis.send("asking");
    new library.Redis().commandQueue.push(item);
    await endOfRun();
    expect(states()).toEqual(["sent", "sent"]);
  });

  test("by an error, and is sent again later, has a second record", async () => {
    const states = hook(library);
    const redis = new library.Redis();
    const item = redis.send("get");
    redis.replies.shiftCommand(new Error("TRYAGAIN"));
    await endOfRun();
    redis.commandQueue.push(item);
    redis.replies.shiftCommand("value");
    expect(states()).toEqual(["failed", "replied"]);
  });

  test("without a reply is flushed, the last one of a queue too", async () => {
    const states = hook(library);
    const redis = new library.Redis();
    for (const name of ["get", "set", "ttl"]) redis.send(name);
    // As 4.x does it: as long as there is one, not until there is none.
    while (redis.commandQueue.length > 0) redis.commandQueue.shift();
    await endOfRun();
    expect(states()).toEqual(["flushed", "flushed", "flushed"]);
  });

  test("from the middle is flushed, and its neighbours are not", () => {
    const states = hook(library);
    const redis = new library.Redis();
    for (const name of ["get", "set", "ttl", "del"]) redis.send(name);
    redis.commandQueue.remove(1, 2);
    expect(states()).toEqual(["sent", "flushed", "flushed", "sent"]);
  });

  test("for another one after a reconnect keeps its record", async () => {
    const states = hook(library);
    const redis = new library.Redis();
    redis.send("get");
    redis.offlineQueue.push(redis.commandQueue.shift() as Item);
    await endOfRun();
    redis.resetCommandQueue();
    redis.commandQueue.push(redis.offlineQueue.shift() as Item);
    await endOfRun();
    expect(states()).toEqual(["sent"]);
    redis.replies.shiftCommand("value");
    expect(states()).toEqual(["replied"]);
  });
});

describe("a connection that closes", () => {
  test("flushes what the client will not send again", () => {
    const states = hook(library);
    const redis = new library.Redis();
    redis.send("info");
    redis.stream._destroy();
    redis.resetCommandQueue();
    expect(states()).toEqual(["flushed"]);
  });

  test("leaves open what the client keeps to send it again", () => {
    const states = hook(library);
    const redis = new library.Redis();
    redis.send("get");
    redis.prevCommandQueue = redis.commandQueue;
    redis.stream._destroy();
    redis.resetCommandQueue();
    expect(states()).toEqual(["sent"]);
  });

  test("flushes what the client keeps but was told not to send again", () => {
    const states = hook(library);
    const redis = new library.Redis();
    redis.options.autoResendUnfulfilledCommands = false;
    redis.send("get");
    redis.prevCommandQueue = redis.commandQueue;
    redis.stream._destroy();
    redis.resetCommandQueue();
    expect(states()).toEqual(["flushed"]);
  });
});

test("a client that is handed over, and is hooked already, keeps its commands in flight", () => {
  const states = hook(library);
  const redis = new library.Redis();
  redis.send("get");
  shapes[0]?.adopt(redis);
  expect(states()).toEqual(["sent"]);
  redis.replies.shiftCommand("value");
  expect(states()).toEqual(["replied"]);
});

test("a client has a new connection id for each of its connections", () => {
  const registry = createRegistry(() => undefined);
  hook(library, registry);
  const redis = new library.Redis();
  redis.send("get");
  redis.stream._destroy();
  redis.stream = newStream();
  redis.resetCommandQueue();
  redis.send("get");
  const { connections } = registry.snapshot();
  expect(connections).toEqual([
    {
      id: 2,
      client: "ioredis",
      protocol: "redis",
      host: "10.0.0.1",
      port: 6379,
      localPort: null,
    },
  ]);
});

test("a failure of our own is counted, and the command goes its way", () => {
  const broken: Registry = {
    ...createRegistry(() => undefined),
    redisCommandId() {
      throw new Error("of the registry");
    },
  };
  hook(library, broken);
  const before = faultCounts().get("instrument") ?? 0;
  const redis = new library.Redis();
  const item = redis.send("get");
  expect(redis.replies.shiftCommand("value")).toBe(item);
  expect(faultCounts().get("instrument")).toBe(before + 1);
});

describe("a fork that queues the command itself", () => {
  const command = (name: string): Item => ({ name }) as unknown as Item;
  const faults = (): number => faultCounts().get("instrument") ?? 0;

  test("goes its way, and each failure of ours is counted", async () => {
    hook(library);
    const redis = new library.Redis();
    const names = ["get", "set", "ttl", "del", "incr"];
    for (const queue of [redis.commandQueue, redis.offlineQueue]) {
      const before = faults();
      for (const name of names) queue.push(command(name));
      expect(faults()).toBe(before + names.length);
      expect(queue.shift()).toEqual({ name: "get" });
      expect(queue.shift()).toEqual({ name: "set" });
      expect(queue.remove(0, 1)).toEqual([{ name: "ttl" }]);
      await endOfRun();
      expect(faults()).toBe(before + names.length + 3);
    }
    const before = faults();
    expect(redis.replies.shiftCommand("value")).toEqual({ name: "del" });
    expect(redis.replies.shiftCommand(new Error("WRONGTYPE"))).toEqual({ name: "incr" });
    await endOfRun();
    expect(faults()).toBe(before + 2);
  });

  test("does not spoil what leaves after it", async () => {
    const states = hook(library);
    const redis = new library.Redis();
    redis.commandQueue.push(command("get"));
    redis.send("set");
    redis.commandQueue.shift();
    redis.commandQueue.shift();
    await endOfRun();
    expect(states()).toEqual(["flushed"]);
  });
});

test("a library whose replies cannot be seen is left alone, and said", async () => {
  const states = hook({ Redis: library.Redis });
  const redis = new library.Redis();
  redis.send("get");
  expect([hooked, clientsSeen, states()]).toEqual([[], 0, []]);
  expect(Object.getOwnPropertyNames(redis.commandQueue)).toEqual(["items"]);
  await endOfRun();
  expect(unfit).toEqual(["ioredis"]);
});

test("the order in which the files are found does not matter", () => {
  const states = hook({ Redis: library.Redis, DataHandler: library.DataHandler });
  new library.Redis().send("get");
  expect([hooked, clientsSeen, states()]).toEqual([["ioredis"], 1, ["sent"]]);
});

test("a second copy of the agent records nothing twice", () => {
  const first = hook(library);
  const second = hook(library);
  new library.Redis().send("get");
  expect([hooked, first(), second()]).toEqual([["ioredis"], ["sent"], []]);
});
