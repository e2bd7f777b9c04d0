// An application of test/fixtures/apps under the agent, with its gates, ready and answering on /healthz.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cause } from "../../../agent/model/cause";
import type { Incident } from "../../../agent/model/incident";
import { freePort } from "../../support/free-port";
import { type AppOptions, type RunningApp, runApp } from "../../support/run-app";
import { createGate, type Gate } from "./gate";
import { answering, ask, askHealth, eventually, metricSum } from "./page";

/** This file runs as dist/test/e2e/support/watched-app.js. */
export const appPath = (name: string): string => join(__dirname, "../../fixtures/apps", name);

/** The line with the marker in a compiled application; what a site must say. */
export function blockingLine(script: string): number {
  const lines = readFileSync(script, "utf8").split("\n");
  return lines.findIndex((line) => line.includes("// the call that blocks the loop")) + 1;
}

/** Causes that say the machine or the server was late: on a busy machine they are simply true. */
const machineCauses: readonly Cause[] = [
  "cpu-starved",
  "process-stopped",
  "page-fault",
  "server-slow",
];

export const blamingTheApp = (incidents: readonly Incident[]): readonly Incident[] =>
  incidents.filter(({ cause }) => !machineCauses.includes(cause));

export interface WatchedApp {
  readonly app: RunningApp;
  readonly port: number;
  readonly go: Gate;
  readonly hold: Gate;
  /** Resolves once /healthz says that the loop has been blocked for so long. */
  stalledFor(lengthMs: number): Promise<void>;
  /** One stall: begun, seen on /healthz, and let go. */
  stall(): Promise<void>;
  metric(name: string, label?: string): Promise<number>;
  stop(): Promise<void>;
}

/** Enough to be an incident (50 ms), whatever is lost at its edges. */
const seenMs = 150;

export async function startWatched(
  script: string,
  options: Omit<AppOptions, "script"> = {},
): Promise<WatchedApp> {
  const [go, hold, port] = [createGate(), createGate(), await freePort()];
  const app = runApp({
    ...options,
    script,
    args: [go.path, hold.path, ...(options.args ?? [])],
    env: { LOOPHOUND_PORT: String(port), LOOPHOUND_START_DELAY_MS: "0", ...options.env },
  });
  const stop = async (): Promise<void> => {
    await app.stop();
    for (const gate of [go, hold]) gate.remove();
  };
  try {
    await Promise.all([app.waitForOutput(/^ready$/m), answering(port, app.pid)]);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\nstderr: ${app.stderr()}`);
  }
  return { app, port, go, hold, stop, ...measures(port, go, hold) };
}

function measures(port: number, go: Gate, hold: Gate) {
  const stalledFor = async (lengthMs: number): Promise<void> => {
    await eventually(
      async () => ((await askHealth(port)).stalledForMs >= lengthMs ? true : null),
      `a stall of ${lengthMs} ms on /healthz`,
    );
  };
  return {
    stalledFor,
    async stall() {
      go.letGo("b");
      await stalledFor(seenMs);
      hold.letGo();
    },
    async metric(name: string, label = "") {
      return metricSum((await ask(port, "/metrics")).body, name, label);
    },
  };
}
