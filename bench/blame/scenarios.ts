// The labelled scenarios of blame: what is done to an application outside of it, for how long, and whose
// time it then is. The application is test/fixtures/apps/redis-traffic.

import type { Cause } from "../../agent/model/cause";
import type { Blame } from "../../agent/model/incident";
import type { Environment } from "../../test/support/run-app";
import type { Stage } from "./stage";

export interface Scenario {
  readonly name: string;
  /** Whose fault it is; null: nobody's, and nobody may be accused. */
  readonly cause: Cause | null;
  /** The part of a command's time that must be as long as the fault; null: not judged. */
  readonly part: keyof Blame | null;
  readonly env?: Environment;
  readonly way?: "tcp" | "unix" | "tls" | "password" | "proxy";
  /** What it takes beforehand; not judged. */
  readonly prepare?: (stage: Stage) => Promise<unknown>;
  /** Makes the fault and resolves with its length when it is over; 0 without one. */
  readonly play: (stage: Stage) => Promise<number>;
}

type Play = Scenario["play"];

const server = (name: string, play: Play, more: Partial<Scenario> = {}): Scenario => ({
  name: `server: ${name}`,
  cause: "server-slow",
  part: "serverMs",
  play,
  ...more,
});

const stopped =
  (lengthMs: number): Play =>
  (stage) =>
    stage.stopServer(lengthMs);

const script = (lengthMs: number): string =>
  `local function now() local t = redis.call('TIME') return t[1] * 1e6 + t[2] end local u = now() + ${lengthMs * 1000} repeat until now() > u`;

const path = (delayMs: number, periodMs: number): Scenario => ({
  name: `path: ${delayMs} ms longer, a command every ${periodMs / 2} ms`,
  cause: "network-slow",
  part: "networkMs",
  way: "proxy",
  env: { PERIOD_MS: String(periodMs) },
  play: (stage) => stage.lengthenPath(delayMs),
});

const queued = (name: string, play: Play, more: Partial<Scenario> = {}): Scenario => ({
  name: `queue: ${name}`,
  cause: "client-queue",
  part: "queueMs",
  play,
  ...more,
});

const blocked = (lengthMs: number): Scenario => ({
  name: `loop: blocked by an addon for ${lengthMs} ms`,
  cause: "sync-native-io",
  part: "loopMs",
  play: (stage) => stage.blockLoop(lengthMs),
});

const innocent = (name: string, play: Play, more: Partial<Scenario> = {}): Scenario => ({
  name: `innocent: ${name}`,
  cause: null,
  part: null,
  play,
  ...more,
});

const nothing = async (stage: Stage, lengthMs: number): Promise<number> => {
  await stage.pass(lengthMs);
  return 0;
};

export const scenarios: readonly Scenario[] = [
  ...[80, 120, 250, 400, 1000, 2500].map((ms) => server(`stopped for ${ms} ms`, stopped(ms))),
  ...(["unix", "tls", "password"] as const).map((way) =>
    server(`stopped, over ${way}`, stopped(400), { way }),
  ),
  server("stopped, few commands", stopped(400), { env: { PERIOD_MS: "50" } }),
  server("stopped, many commands", stopped(400), { env: { PERIOD_MS: "2" } }),
  ...[100, 250, 600].map((ms) =>
    server(`a script of ${ms} ms`, (stage) => stage.ask("EVAL", script(ms), "0")),
  ),
  ...[100, 250, 600].map((ms) =>
    server(`asleep for ${ms} ms`, (stage) => stage.ask("DEBUG", "SLEEP", `${ms / 1000}`)),
  ),
  ...[120, 300, 700].map((ms) =>
    server(`all clients paused for ${ms} ms`, (stage) => stage.pauseClients(ms)),
  ),
  server("KEYS on two million keys", (stage) => stage.ask("KEYS", "nothing*"), {
    async prepare(stage) {
      await stage.ask("DEBUG", "POPULATE", "2000000");
      await stage.pass(3000);
    },
    // Nothing but the server itself knows how long it took.
    part: null,
  }),
  ...[60, 90, 150, 250, 400].map((delayMs) => path(delayMs, 10)),
  ...[90, 250].map((delayMs) => path(delayMs, 50)),
  ...[120, 300, 800, 1500].map((ms) =>
    queued(`behind BLPOP for ${ms} ms`, (stage) => stage.behindBlpop(ms)),
  ),
  ...[150, 400, 900].map((ms) =>
    queued(`a reconnect that waits for ${ms} ms`, (stage) => stage.whileReconnecting(ms), {
      env: { RETRY_MS: String(ms) },
    }),
  ),
  ...[100, 200, 400, 1000].map(blocked),
  innocent("healthy traffic", (stage) => nothing(stage, 3000)),
  innocent("traffic over a path of 20 ms", (stage) => stage.lengthenPath(20).then(() => 0), {
    way: "proxy",
  }),
  innocent("BLPOP without end", async (stage) => {
    stage.tell("l");
    return nothing(stage, 3000);
  }),
  innocent("pipelines of 100", async (stage) => {
    stage.tell("x");
    return nothing(stage, 2000);
  }),
  innocent("stopped for 20 ms", (stage) => stage.stopServer(20).then(() => 0)),
  innocent("a script of 15 ms", (stage) => stage.ask("EVAL", script(15), "0").then(() => 0)),
  innocent("BLPOP until its time-out", async (stage) => {
    stage.tell("t");
    return nothing(stage, 2500);
  }),
];
