// A part of the accuracy suite: what needs no module of others, on the running Node. The whole is `npm run accuracy`.

import { execPath } from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { listPrograms } from "../../bench/accuracy/programs";
import { loophound } from "../../bench/accuracy/readers/loophound";
import { type NodeUnderTest, runProgram } from "../../bench/accuracy/run-program";
import { score } from "../../bench/accuracy/score";
import { type RedisServer, startRedisServer } from "../support/redis-server";
import { agentEntry } from "../support/run-app";

const node: NodeUnderTest = {
  binary: execPath,
  version: process.version,
  major: Number(process.versions.node.split(".")[0]),
};
const agent = { preload: agentEntry, reader: loophound };
let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedisServer();
});

afterAll(() => redis.stop());

type Truths = Awaited<ReturnType<typeof runProgram>>["truth"];

const run = async (name: string) => {
  const program = listPrograms([name]).find((one) => one.name === name);
  if (program === undefined) throw new Error(`there is no program ${name}`);
  return runProgram(program, node, agent, redis);
};

describe("a labelled program", () => {
  // Blocks of 180 ms and more: shorter ones may go unexamined on a machine that is busy with other tests.
  test.each([
    "sync-native-io/hiredis-blpop",
    "sync-native-io/hiredis-stopped-server",
    "sync-core-api/exec-sync",
    "sync-core-api/atomics-wait",
    "sync-core-api/read-fifo",
    "process-stopped/signal",
    "gc/full",
    "js-cpu/long-loop",
  ])("is named for what it is: %s", async (name) => {
    const result = await run(name);
    const { failed, skipped, confusion } = score([{ ...result, truth: longOnes(result.truth) }]);
    expect([failed, skipped]).toEqual([[], []]);
    for (const [cause, said] of confusion) expect([...said.keys()]).toEqual([cause]);
    expect(confusion.size).toBe(1);
  });

  /** Without the short ones; a machine that is quick and quiet may have no others. */
  const longOnes = (truth: Truths): Truths => {
    const long = truth.filter((one) => !isShort(one));
    return long.some(({ kind }) => kind === "stall") ? long : truth;
  };

  const isShort = ({ kind, durationMs }: { kind: string; durationMs?: number }): boolean =>
    kind === "stall" && (durationMs ?? 0) < 170;
});

describe("an innocent program", () => {
  test.each(["innocent/exec-async", "innocent/chunks", "innocent/crypto-async"])(
    "is not accused: %s",
    async (name) => {
      const { failed, innocent } = score([await run(name)]);
      expect(failed).toEqual([]);
      expect(innocent).toMatchObject({ programs: 1, accused: [] });
    },
  );
});
