// What to do about it: one sentence or two for each cause, naming what was found.

import type { Cause } from "../model/cause";
import type { Culprit } from "../model/incident";

/** `elsewhere`: a thread on which the same call would hold nobody up. */
type Advice = (culprit: Culprit | null, elsewhere: string) => string;

const by = (culprit: Culprit | null): string => culprit?.module ?? "it";

const advice: Readonly<Record<Cause, Advice>> = {
  "sync-native-io": (culprit, elsewhere) =>
    `${by(culprit)} waits for I/O on the event loop: every other reply waits with it. Use an asynchronous client, move the call to ${elsewhere}, or run it in processes that serve one request at a time.`,
  "sync-native-cpu": (culprit, elsewhere) =>
    `${by(culprit)} computes on the event loop. Use its asynchronous variant, or move the call to ${elsewhere}.`,
  "sync-core-api": (culprit, elsewhere) =>
    `${culprit?.symbol ?? by(culprit)} is synchronous by design: use the asynchronous form of the same API (for example fs.promises, child_process.exec), or move it to start-up or ${elsewhere}.`,
  "module-load": () =>
    "Code was loaded while requests were waiting: load it at start-up, before listening.",
  "js-cpu": (_culprit, elsewhere) =>
    `JavaScript ran too long in one turn: split the work (setImmediate between parts), make it cheaper, or move it to ${elsewhere}.`,
  gc: () =>
    "Garbage collection held the loop: look for a growing heap or large short-lived allocations before raising --max-old-space-size.",
  "cpu-starved": () =>
    "The process was ready to run and got no CPU: raise its CPU limit or share, or move its neighbours. The code is not the cause.",
  "page-fault": () =>
    "Memory had been paged out to disk: look at memory pressure and swap on this host.",
  "process-stopped": () =>
    "The whole process stood still (SIGSTOP, debugger, suspended machine): nothing in the application caused it.",
  "server-slow": () => "The server itself was late: see its SLOWLOG and LATENCY for that moment.",
  "network-slow": () => "The path to the server was late: compare with other hosts.",
  "client-queue": () =>
    "The command waited in its own client: use another connection, a bound on the pool, or pipelining.",
  "blocking-command": () => "It was asked to wait.",
  unknown: () =>
    "The evidence does not suffice for a name; the lines above say what is missing. `loophound self-check` shows which evidence this machine gives.",
};

/** `threadId`: of the loop that stood still; 0 is the main thread. */
export const adviceFor = (cause: Cause, culprit: Culprit | null, threadId: number): string =>
  advice[cause](culprit, threadId === 0 ? "a worker thread" : "a worker thread of its own");
