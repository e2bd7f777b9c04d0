// What the agent costs a process besides its commands: until it is up, and while it has nothing to do.
// Fresh processes, the contenders in turn.

import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { describeMachine } from "./clocks";
import { type ContenderName, contenderEnv, contenderNames, preloadArgs } from "./contender";
import type { ProcessResults } from "./raw";

const startUps = 25;
const idleRuns = 3;
/** The agent counts a process as idle when its loop has rested for ten seconds. */
const idleSettleMs = 15_000;
const idleMs = 20_000;

type Figures = Readonly<Record<string, number>>;

/** Time and CPU of the main thread until the application's first line, and until a listening server is watched. */
export function measureStartUp(): ProcessResults {
  const machine = describeMachine();
  const runs = emptyRuns(contenderNames);
  const script = join(__dirname, "start-up-child.js");
  for (let i = 0; i < startUps; i++) {
    for (const name of i % 2 === 0 ? contenderNames : contenderNames.toReversed()) {
      const output = execFileSync(execPath, [...preloadArgs(name), script], {
        env: contenderEnv(),
        encoding: "utf8",
      });
      runs[name]?.push(JSON.parse(output) as Figures);
    }
  }
  return { kind: "start-up", machine: machine(), runs };
}

const emptyRuns = (names: readonly string[]): Record<string, Figures[]> =>
  Object.fromEntries(names.map((name) => [name, []]));

/** CPU time of all threads and resident memory of a server without requests. Linux only. */
export async function measureIdle(): Promise<ProcessResults> {
  const machine = describeMachine();
  const runs = emptyRuns(contenderNames);
  for (let i = 0; i < idleRuns; i++) {
    // Idle processes do not disturb each other: all at once.
    const figures = await Promise.all(contenderNames.map(idleOnce));
    contenderNames.forEach((name, at) => {
      runs[name]?.push(figures[at] as Figures);
    });
  }
  return { kind: "idle", machine: machine(), runs };
}

async function idleOnce(name: ContenderName): Promise<Figures> {
  const child = spawn(execPath, [...preloadArgs(name), join(__dirname, "idle-child.js")], {
    env: contenderEnv(),
    stdio: "ignore",
  });
  const pid = child.pid as number;
  await sleep(idleSettleMs);
  const before = cpuNs(pid);
  await sleep(idleMs);
  const busyNs = cpuNs(pid) - before;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const rssKb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
  child.kill("SIGKILL");
  return { coreShare: busyNs / (idleMs * 1e6), rssBytes: rssKb * 1024 };
}

/** proc_pid_schedstat(5), field 1, of each thread: exact, where utime and stime count ticks. */
function cpuNs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((tid) => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, "utf8").split(" ")[0]))
    .reduce((sum, one) => sum + one, 0);
}
