// Wires the application thread: ledger, client hooks, heartbeat, and the watchdog thread once the
// process is old enough to be worth one. Everything here runs inside somebody else's program: it
// must neither throw, nor delay, nor be seen.

import { createBeatCell } from "./base/beat-cell";
import { nowMs } from "./base/clock";
import { createStderr } from "./base/diag";
import { createGcCell } from "./base/gc-cell";
import { guard } from "./base/guard";
import { createLedger, ledgerWriter } from "./base/ledger";
import { createMarkerCell } from "./base/marker-cell";
import { createSignals, signal, signalCells } from "./base/signals";
import { type GivenOptions, readConfig } from "./config-from-env";
import { installClients } from "./instrument/install";
import { installNativeForwarders } from "./instrument/native-forwarders";
import { createRegistry } from "./instrument/registry";
import type { Config } from "./model/config";
import type { Incident } from "./model/incident";
import type { ToWatchdog } from "./model/wire";
import type { LauncherOptions, WatchdogLauncher } from "./watchdog-launcher";

/** One agent a process, whichever copy of the package comes first. */
const marker = Symbol.for("loophound.agent");

export interface Agent {
  readonly config: Config;
  onIncident(listener: (incident: Incident) => void): () => void;
  /** Ends the watchdog, the heartbeat and the hooks; the application runs on as if never watched. */
  stop(): void;
}

/** Starts the agent, or returns the one that runs already. null: switched off. */
export function startAgent(env: NodeJS.ProcessEnv, options?: GivenOptions): Agent | null {
  const running = (globalThis as Record<symbol, unknown>)[marker] as Agent | undefined;
  if (running !== undefined) return running;
  const { config, complaints } = readConfig(env, options);
  const stderr = createStderr();
  for (const complaint of complaints) stderr.write(`loophound: ${complaint}\n`);
  if (!config.enabled) return null;
  const agent = guard("start", () => assemble(config), null);
  if (agent !== null) {
    Object.defineProperty(globalThis, marker, { value: agent, configurable: true });
  }
  return agent;
}

function assemble(config: Config): Agent {
  const memory = createMemory();
  const ledger = ledgerWriter(memory.ledger);
  const listeners = new Set<(incident: Incident) => void>();
  let launcher: WatchdogLauncher | null = null;
  let isWanted = false;

  const post = (message: ToWatchdog) => launcher?.post(message);
  const registry = createRegistry(post);
  const wanted = (): void => {
    isWanted = true;
    launcher?.launch();
  };
  const hooks = config.clients
    ? installClients({ ledger, registry, now: nowMs, onFirstClient: wanted })
    : null;
  const forwarders = config.forwarders
    ? installNativeForwarders({ marker: memory.marker, post })
    : null;
  const listening = watchListening(memory.signals, wanted, post);

  // The first turn of the loop: what ran before it was start-up, which is nobody's stall.
  const firstTurn = setTimeout(() => {
    guard(
      "start",
      () => {
        launcher = createLauncher(config, memory, listeners, () => ({
          ...registry.snapshot(),
          nativeFunctions: forwarders?.names() ?? [],
        }));
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
      hooks?.uninstall();
      forwarders?.uninstall();
      listening();
      launcher?.stop();
      delete (globalThis as Record<symbol, unknown>)[marker];
    },
  };
}

type Memory = LauncherOptions["memory"];

const createMemory = (): Memory => ({
  beat: createBeatCell(),
  ledger: createLedger(),
  gc: createGcCell(),
  marker: createMarkerCell(),
  signals: createSignals(),
});

/** Loaded late: worker_threads and perf_hooks cost milliseconds that a short script need not pay. */
function createLauncher(
  config: Config,
  memory: Memory,
  listeners: ReadonlySet<(incident: Incident) => void>,
  snapshot: LauncherOptions["snapshot"],
): WatchdogLauncher {
  const { createWatchdogLauncher } =
    require("./watchdog-launcher") as typeof import("./watchdog-launcher");
  return createWatchdogLauncher({
    config,
    memory,
    snapshot,
    isSubscribed: () => listeners.size > 0,
    onIncident: (incident) => {
      for (const listener of listeners) guard("listener", () => listener(incident), undefined);
    },
  });
}

/** A blocked start of the application's own listener is worse than no port of ours. */
const portReleaseWaitMs = 250;

/**
 * Node announces a listen before the port is taken (diagnostics_channel, net.Server `listen`). A
 * process that serves is worth watching at once; and if it wants the port that our HTTP server
 * has, ours moves out of the way first. Returns a function that stops this.
 */
function watchListening(
  signals: SharedArrayBuffer,
  onListen: () => void,
  post: (message: ToWatchdog) => void,
): () => void {
  const { subscribe, unsubscribe } =
    require("node:diagnostics_channel") as typeof import("node:diagnostics_channel");
  const cells = signalCells(signals);
  const channel = "tracing:net.server.listen:asyncStart";
  const heard = (message: unknown): void => {
    guard(
      "listen",
      () => {
        onListen();
        const port = Number((message as { options?: { port?: unknown } }).options?.port);
        if (!(port > 0) || port !== Atomics.load(cells, signal.port)) return;
        Atomics.store(cells, signal.releasePort, 1);
        post({ kind: "release-port" });
        Atomics.wait(cells, signal.releasePort, 1, portReleaseWaitMs);
      },
      undefined,
    );
  };
  subscribe(channel, heard);
  return () => void unsubscribe(channel, heard);
}
