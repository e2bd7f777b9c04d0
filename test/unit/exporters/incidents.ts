// Incidents made by hand, in the shape of the founding one.

import type { ChargedCommand, Culprit, Incident } from "../../../agent/model/incident";

export const culprit: Culprit = {
  module: "syncredis.node",
  symbol: "redisCommand",
  syscall: "read",
  peer: { host: "127.0.0.1", port: 6379 },
  target: null,
  site: { function: "checkSession", file: "/app/session.js", line: 42, column: 17 },
  nativeStack: ["read (libc.so.6)", "redisCommand (syncredis.node)"],
  jsStack: ["checkSession (/app/session.js:42:17)"],
};

/** `count` commands whose slowest took `maxMs`, all of it the loop's. */
export const paid = (command: string, count: number, maxMs: number): ChargedCommand => ({
  client: "ioredis",
  command,
  host: "127.0.0.1",
  port: 6379,
  count,
  maxMs,
  blame: { queueMs: 0, networkMs: 0, serverMs: 0, loopMs: maxMs, intendedMs: 0, unknownMs: 0 },
});

let made = 0;

/** A closed sync-native-io incident of 312.4 ms, with an id of its own, but for what is `given`. */
export function incident(given: Partial<Incident> = {}): Incident {
  made += 1;
  const durationMs = given.durationMs ?? 312.4;
  const stall = { startEpochMs: 1_700_000_000_000 + made * 1000, durationMs };
  return {
    schema: "loophound.incident/1",
    id: `incident-${made}`,
    state: "closed",
    pid: 1,
    threadId: 0,
    startedAt: new Date(stall.startEpochMs).toISOString(),
    durationMs,
    cause: "sync-native-io",
    confidence: 0.98,
    stall,
    culprit,
    commands: [paid("EXPIRE", 17, 318)],
    evidence: [
      { kind: "in-native-call", says: "it was in read(2) for 97 % of the stall" },
      { kind: "reply-waiting", says: "the reply to EXPIRE lay unread in the kernel" },
    ],
    advice: "Use an asynchronous client.",
    repeats: 1,
    stalls: [stall],
    ...given,
  };
}
