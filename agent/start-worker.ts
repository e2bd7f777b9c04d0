// Wires a worker thread of the application, which may live for milliseconds: what it does not need
// yet is not even loaded. A tripwire is there before it loads anything; the line to the watchdog
// opens at the first turn of its loop. It goes straight there, for the main thread may be blocked.

import { parentPort, threadId } from "node:worker_threads";
import { type Agent, agentOfThread } from "./agent";
import { guard } from "./base/guard";
import { clearTimeout, setTimeout } from "./base/timers";
import { readBriefing } from "./briefing";
import { installTripwire } from "./instrument/tripwire";
import { watchListening } from "./listening";
import type { Incident } from "./model/incident";
import type { ToWatchdog, WorkerBriefing } from "./model/wire";
import type { ThreadNames } from "./thread-taps";

/** As startAgent, for a thread that is not the main one: it joins the agent of its process. */
export const startInWorker = (): Agent | null => agentOfThread(() => guard("start", join, null));

/**
 * null: no agent watches this process's workers, or this is a thread of Node's own (module loaders
 * run the preload too, and have no parent port).
 */
function join(): Agent | null {
  const briefing = readBriefing();
  return briefing === null || parentPort === null ? null : assemble(briefing);
}

function assemble({ config, signals }: WorkerBriefing): Agent {
  const listeners = new Set<(incident: Incident) => void>();
  const memory = late(() => {
    const { createWorkerMemory } = require("./worker-memory") as typeof import("./worker-memory");
    return createWorkerMemory();
  });
  const serving = (): void => memory.get().setServing();
  // Before the line is there, nothing is lost: it begins with all names until then.
  const post = (message: ToWatchdog): void => line.made()?.post(message);
  const taps = late(() => {
    const { installTaps } = require("./thread-taps") as typeof import("./thread-taps");
    return installTaps({
      config,
      memory: memory.get().cells,
      post,
      onFirstClient: serving,
      // One line for each of hundreds of workers would be too many.
      onUnfit: () => undefined,
    });
  });
  const line = late(() => {
    const { createWorkerLine } = require("./worker-line") as typeof import("./worker-line");
    return createWorkerLine({
      threadId,
      memory: memory.get().cells,
      signals,
      names: () => taps.made()?.names() ?? noNames,
      onIncident: (incident) => {
        for (const listener of listeners) guard("listener", () => listener(incident), undefined);
      },
      onEnded: stop,
    });
  });

  const isHooked = config.clients || config.forwarders;
  const removeWire = isHooked ? installTripwire(taps.get) : () => undefined;
  const askForPort = (): void => line.get().post({ kind: "release-port" });
  const stopListening = watchListening({ signals, onListen: serving, askForPort });
  const firstTurn = setTimeout(() => guard("start", line.get, undefined), 0).unref();
  const atExit = (): void => memory.made()?.setEnded();
  process.on("exit", atExit);

  function stop(): void {
    clearTimeout(firstTurn);
    process.removeListener("exit", atExit);
    removeWire();
    stopListening();
    taps.made()?.uninstall();
    line.made()?.close();
  }

  return {
    config,
    instrument: (client) => taps.get().instrument(client),
    onIncident(listener) {
      listeners.add(listener);
      line.get().subscribe();
      return () => void listeners.delete(listener);
    },
    stop,
  };
}

/** Made when it is first needed. The first that is made is everybody's, also if making it asks for it. */
export function late<T>(make: () => T): { readonly get: () => T; readonly made: () => T | null } {
  let value: T | null = null;
  return {
    get() {
      if (value !== null) return value;
      const made = make();
      // Not before `make` has returned: what asked meanwhile has one already, and may have kept it.
      value ??= made;
      return value;
    },
    made: () => value,
  };
}

const noNames: ThreadNames = { commandNames: [], connections: [], nativeFunctions: [] };
