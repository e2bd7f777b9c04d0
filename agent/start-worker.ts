// Wires a worker thread of the application: the hooks before it loads anything, the rest at the first
// turn of its loop, so that a worker which ends sooner pays next to nothing. It speaks to the
// watchdog of the process directly, for the main thread may be blocked.

import { setTimeout } from "node:timers";
import { getEnvironmentData, parentPort, threadId } from "node:worker_threads";
import type { Agent } from "./agent";
import { guard } from "./base/guard";
import { flagCells, threadFlag } from "./base/thread-flags";
import type { Incident } from "./model/incident";
import type { ToWatchdog, WorkerBriefing } from "./model/wire";
import { createWorkerMemory } from "./thread-memory";
import { installTaps } from "./thread-taps";
import { briefingKey } from "./worker-channels";
import type { WorkerLine } from "./worker-line";

/**
 * null: no agent watches this process's workers, or this is a thread of Node's own (module loaders
 * run the preload too, and have no parent port).
 */
export function assembleWorker(): Agent | null {
  const briefing = getEnvironmentData(briefingKey) as unknown as WorkerBriefing | undefined;
  if (briefing === undefined || parentPort === null) return null;
  const { config, signals } = briefing;
  const memory = createWorkerMemory();
  const listeners = new Set<(incident: Incident) => void>();
  let line: WorkerLine | null = null;
  let isStopped = false;

  const taps = installTaps({
    config,
    memory,
    signals,
    // Before the line is there, nothing is lost: it begins with all names until then.
    post: (message: ToWatchdog) => {
      if (message.kind === "release-port") openLine();
      line?.post(message);
    },
    onServing: () => undefined,
  });

  function openLine(): void {
    if (line !== null || isStopped) return;
    // Loaded late: see above.
    const { createWorkerLine } = require("./worker-line") as typeof import("./worker-line");
    line = createWorkerLine({
      threadId,
      memory,
      signals,
      names: taps.names,
      isSubscribed: () => listeners.size > 0,
      onIncident: (incident) => {
        for (const listener of listeners) guard("listener", () => listener(incident), undefined);
      },
      onEnded: stop,
    });
  }

  const firstTurn = setTimeout(() => guard("start", openLine, undefined), 0).unref();
  const atExit = (): void => void Atomics.store(flagCells(memory.flags), threadFlag.ended, 1);
  process.on("exit", atExit);

  function stop(): void {
    isStopped = true;
    clearTimeout(firstTurn);
    process.removeListener("exit", atExit);
    taps.uninstall();
    line?.close();
    line = null;
  }

  return {
    config,
    onIncident(listener) {
      listeners.add(listener);
      openLine();
      line?.post({ kind: "subscribe" });
      return () => void listeners.delete(listener);
    },
    stop,
  };
}
