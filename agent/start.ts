// Wires the application thread: ledger, client hooks, heartbeat, and the watchdog thread once the
// process is old enough to be worth one. Everything here runs inside somebody else's program: it
// must neither throw, nor delay, nor be seen.

import { isMainThread, setEnvironmentData } from "node:worker_threads";
import type { Agent } from "./agent";
import { createStderr } from "./base/diag";
import { guard } from "./base/guard";
import { createSignals } from "./base/signals";
import { type GivenOptions, readConfig } from "./config-from-env";
import type { Config } from "./model/config";
import type { Incident } from "./model/incident";
import type { ToWatchdog, WorkerBriefing } from "./model/wire";
import { createMainMemory } from "./thread-memory";
import { installTaps } from "./thread-taps";
import type { LauncherOptions, WatchdogLauncher } from "./watchdog-launcher";
import { briefingKey } from "./worker-channels";

/** One agent a thread, whichever copy of the package comes first. */
const marker = Symbol.for("loophound.agent");

/**
 * Starts the agent in this thread, or returns the one that runs already. A worker thread joins the
 * agent of its process, whose settings hold. null: switched off.
 */
export function startAgent(env: NodeJS.ProcessEnv, options?: GivenOptions): Agent | null {
  const running = (globalThis as Record<symbol, unknown>)[marker] as Agent | undefined;
  if (running !== undefined) return running;
  const agent = guard("start", () => (isMainThread ? startMain(env, options) : joinAgent()), null);
  if (agent === null) return null;
  const stop = (): void => {
    agent.stop();
    delete (globalThis as Record<symbol, unknown>)[marker];
  };
  const marked = { ...agent, stop };
  Object.defineProperty(globalThis, marker, { value: marked, configurable: true });
  return marked;
}

function startMain(env: NodeJS.ProcessEnv, options?: GivenOptions): Agent | null {
  const { config, complaints } = readConfig(env, options);
  const stderr = createStderr();
  for (const complaint of complaints) stderr.write(`loophound: ${complaint}\n`);
  return config.enabled ? assemble(config) : null;
}

/** Loaded late: no other thread needs it. */
function joinAgent(): Agent | null {
  const { assembleWorker } = require("./start-worker") as typeof import("./start-worker");
  return assembleWorker();
}

function assemble(config: Config): Agent {
  const memory = createMainMemory();
  const signals = createSignals();
  const listeners = new Set<(incident: Incident) => void>();
  let launcher: WatchdogLauncher | null = null;
  let isWanted = false;

  const post = (message: ToWatchdog) => launcher?.post(message);
  const wanted = (): void => {
    isWanted = true;
    launcher?.launch();
  };
  const taps = installTaps({ config, memory, signals, post, onServing: wanted });
  if (config.workers) briefWorkers({ config, signals });

  // The first turn of the loop: what ran before it was start-up, which is nobody's stall.
  const firstTurn = setTimeout(() => {
    guard(
      "start",
      () => {
        launcher = createLauncher(config, { memory, signals, names: taps.names }, listeners);
        if (isWanted) launcher.launch();
        else launcher.launchAfter(config.startDelayMs - process.uptime() * 1000);
      },
      undefined,
    );
  }, 0).unref();

  return {
    config,
    onIncident(listener) {
      listeners.add(listener);
      launcher?.post({ kind: "subscribe" });
      wanted();
      return () => void listeners.delete(listener);
    },
    stop() {
      clearTimeout(firstTurn);
      briefWorkers(null);
      taps.uninstall();
      launcher?.stop();
    },
  };
}

/** Inherited by every worker that is started from here on, and by theirs; null takes it back. */
function briefWorkers(briefing: WorkerBriefing | null): void {
  // Typed as text, but anything that can be cloned goes; undefined removes it.
  setEnvironmentData(briefingKey, (briefing ?? undefined) as unknown as string);
}

/** Loaded late: perf_hooks and more cost milliseconds that a short script need not pay. */
function createLauncher(
  config: Config,
  thread: Pick<LauncherOptions, "memory" | "signals" | "names">,
  listeners: ReadonlySet<(incident: Incident) => void>,
): WatchdogLauncher {
  const { createWatchdogLauncher } =
    require("./watchdog-launcher") as typeof import("./watchdog-launcher");
  return createWatchdogLauncher({
    ...thread,
    config,
    isSubscribed: () => listeners.size > 0,
    onIncident: (incident) => {
      for (const listener of listeners) guard("listener", () => listener(incident), undefined);
    },
  });
}
