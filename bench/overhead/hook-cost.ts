// Nanoseconds per operation of what the agent puts in a hot path, alone: two copies of a library (or of an
// addon) in one process, one of them hooked, take turns on sockets in memory, where no system call hides the
// difference. Fresh processes with two plain copies tell the noise.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { execPath } from "node:process";
import { compileAddon } from "../../test/support/compile-addon";
import { describeMachine } from "./clocks";
import { contenderEnv, preloadArgs } from "./contender";
import { clientsOf } from "./paths";
import type { BlockPairs, HookCostResults } from "./raw";

const processesOfEach = 5;

type Kind = "plain" | "hooked";
type MakeArgs = () => (kind: Kind) => readonly string[];

/** Arguments of node for one process, by workload. */
const programs: Readonly<Record<string, MakeArgs>> = {
  "ioredis-round-trips": () => clientArgs("ioredis-round-trips"),
  "ioredis-pipelines": () => clientArgs("ioredis-pipelines"),
  "node-redis-round-trips": () => clientArgs("node-redis-round-trips"),
  "native-call"() {
    const addons = ["first", "second"].map((name) => compileAddon("forwarded.c", name));
    return (kind) => [join(__dirname, "native-call-child.js"), kind, ...addons];
  },
};
export const hookCostWorkloads = Object.keys(programs);

/** The agent runs in both kinds: what differs is whether the other copy is hooked. */
const clientArgs = (workload: string) => (kind: Kind) => [
  ...preloadArgs("loophound"),
  join(__dirname, "hook-cost-child.js"),
  workload,
  kind,
  clientsOf,
];

export function measureHookCost(workload: string): HookCostResults {
  const argsOf = programs[workload]?.();
  if (argsOf === undefined) throw new Error(`no workload ${workload}`);
  const machine = describeMachine();
  const self: BlockPairs[] = [];
  const hooked: BlockPairs[] = [];
  for (let i = 0; i < processesOfEach; i++) {
    self.push(run(argsOf("plain")));
    hooked.push(run(argsOf("hooked")));
  }
  return { kind: "hook-cost", workload, machine: machine(), self, hooked };
}

function run(args: readonly string[]): BlockPairs {
  const output = execFileSync(execPath, args, {
    env: contenderEnv(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output) as BlockPairs;
}
