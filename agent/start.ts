// Wires the application thread: ledger, client hooks, heartbeat, and the watchdog thread once the
// process is old enough to be worth one. Everything here runs inside somebody else's program: it
// must neither throw, nor delay, nor be seen.

import { isMainThread } from "node:worker_threads";
import { type Agent, agentOfThread } from "./agent";
import { createStderr } from "./base/diag";
import { guard } from "./base/guard";
import { createSignals } from "./base/signals";
import { clearTimeout, setTimeout } from "./base/timers";
import { leaveBriefing } from "./briefing";
import { type GivenOptions, readConfig } from "./config-from-env";
import { watchListening } from "./listening";
import type { Config } from "./model/config";
import type { Incident } from "./model/incident";
import type { ToWatchdog } from "./model/wire";
import { createThreadMemory } from "./thread-memory";
import { installTaps } from "./thread-taps";
import type { LauncherOptions, WatchdogLauncher } from "./watchdog-launcher";

/**
 * Starts the agent in this thread, or returns the one that runs already. A worker thread joins the
 * agent of its process, whose settings hold. null: switched off.
 */
export function startAgent(env: NodeJS.ProcessEnv, options?: GivenOptions): Agent | null {
  if (isMainThread) {
    return agentOfThread(() => guard("start", () => startMain(env, options), null));
  }
  const { startInWorker } = require("./start-worker") as typeof import("./start-worker");
  return startInWorker();
}

function startMain(env: NodeJS.ProcessEnv, options?: GivenOptions): Agent | null {
  const { config, complaints } = readConfig(env, options);
  const stderr = createStderr();
  for (const complaint of complaints) stderr.write(`loophound: ${complaint}\n`);
  return config.enabled ? assemble(config) : null;
}

function assemble(config: Config): Agent {
  const memory = createThreadMemory();
  const signals = createSignals();
  const listeners = new Set<(incident: Incident) => void>();
  let launcher: WatchdogLauncher | null = null;
  let isWanted = false;

  const post = (message: ToWatchdog) => launcher?.post(message);
  const wanted = (): void => {
    isWanted = true;
    launcher?.launch();
  };
  const taps = installTaps({ config, memory, post, onFirstClient: wanted, onUnfit: sayUnfit });
  const stopListening = watchListening({
    signals,
    // A process that serves is worth watching at once.
    onListen: wanted,
    askForPort: () => post({ kind: "release-port" }),
  });
  if (config.workers) leaveBriefing({ config, signals });

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
    instrument: taps.instrument,
    onIncident(listener) {
      listeners.add(listener);
      launcher?.post({ kind: "subscribe" });
      wanted();
      return () => void listeners.delete(listener);
    },
    stop() {
      clearTimeout(firstTurn);
      leaveBriefing(null);
      taps.uninstall();
      stopListening();
      launcher?.stop();
    },
  };
}

function sayUnfit(library: string): void {
  createStderr().write(
    `loophound: this version of ${library} is not one that is known here: its commands are not recorded\n`,
  );
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
