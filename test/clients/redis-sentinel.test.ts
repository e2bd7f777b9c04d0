// Every client that knows sentinels against real ones, through one fail-over that all of them live
// through: right server before and after, and no record lost or open for ever.

import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { expectTimesInOrder, type HookedClient, type Row } from "../support/hooked-client";
import { ioredisLibraries, loadHooked } from "../support/hooked-ioredis";
import {
  endAtOnce,
  loadHookedNodeRedis,
  majorOf,
  nodeRedisLibraries,
} from "../support/hooked-node-redis";
import { masterName, type SentinelGroup, startSentinelGroup } from "../support/redis-sentinel";

let group: SentinelGroup;
beforeEach(async () => {
  group = await startSentinelGroup();
}, 60_000);
afterEach(() => group.stop());

/** Version 4 knows no sentinels. Each has its own hook on net.Socket, so they take turns. */
const nodeRedis = nodeRedisLibraries.filter((library) => majorOf(library) > 4);

interface Subject {
  readonly library: string;
  readonly hooked: HookedClient;
  incr(key: string): Promise<number>;
  end(): Promise<void>;
}

function onIoredis(library: string): Subject {
  const hooked = loadHooked(library);
  const { host, port } = group.sentinel;
  const redis = new hooked.Redis({
    sentinels: [{ host, port }],
    name: masterName,
    retryStrategy: () => 50,
    sentinelRetryStrategy: () => 50,
    maxRetriesPerRequest: null,
    disconnectTimeout: 100,
  });
  redis.on("error", () => undefined);
  return {
    library,
    hooked,
    incr: (key) => redis.incr(key),
    async end() {
      redis.disconnect();
      hooked.uninstall();
    },
  };
}

async function onNodeRedis(library: string): Promise<Subject> {
  const hooked = loadHookedNodeRedis(library);
  const { host, port } = group.sentinel;
  const client = hooked.redis.createSentinel({
    name: masterName,
    sentinelRootNodes: [{ host, port }],
    scanInterval: 100,
    maxCommandRediscovers: 100,
  });
  client.on("error", () => undefined);
  await client.connect();
  return {
    library,
    hooked,
    incr: (key) => client.incr(key),
    async end() {
      await endAtOnce(client);
      hooked.uninstall();
    },
  };
}

const counted = (rows: readonly Row[]): readonly Row[] =>
  rows.filter(({ command }) => command === "INCR");

test.each([
  { libraries: [...ioredisLibraries, ...nodeRedis.slice(0, 1)] },
  ...nodeRedis.slice(1).map((library) => ({ libraries: [library] })),
])(
  "$libraries: a fail-over moves commands to the server that is master now",
  async ({ libraries }) => {
    const subjects: Subject[] = [];
    try {
      for (const library of libraries) {
        const isNodeRedis = nodeRedis.includes(library);
        subjects.push(isNodeRedis ? await onNodeRedis(library) : onIoredis(library));
      }
      for (const subject of subjects) await expectMaster(subject);
      await group.failOver();
      for (const subject of subjects) await expectNewMaster(subject);
    } finally {
      for (const subject of subjects) await subject.end();
    }
  },
);

async function expectMaster({ library, hooked, incr }: Subject): Promise<void> {
  expect(await incr(library)).toBe(1);
  const rows = counted(await hooked.settled());
  expect({ library, rows }).toMatchObject({
    library,
    rows: [{ state: "replied", port: group.master.port }],
  });
}

async function expectNewMaster({ library, hooked, incr }: Subject): Promise<void> {
  await untilItCounts(() => incr(library));
  const rows = counted(await hooked.settled());
  const replied = rows.filter(({ state }) => state === "replied");
  expect({ library, last: replied.at(-1) }).toMatchObject({
    library,
    last: { port: group.replica.port },
  });
  expectTimesInOrder(replied);
}

/** What a client tells of the time without a master is its own affair. */
async function untilItCounts(incr: () => Promise<number>): Promise<void> {
  while (true) {
    const count = await incr().catch(() => 0);
    if (count > 0) return;
  }
}
