// The application thread's side of the watchdog thread: launches it, passes the few messages, keeps
// the heartbeat going, and on exit gives it a moment to write what it still holds.

import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createAnswerCell } from "./base/answer-cell";
import { createStderr } from "./base/diag";
import { guard } from "./base/guard";
import { rollCallNever, signal, signalCells } from "./base/signals";
import { clearTimeout, setTimeout } from "./base/timers";
import type { Config } from "./model/config";
import type { Incident } from "./model/incident";
import type { FromWatchdog, ThreadHandover, ToWatchdog, WatchdogStart } from "./model/wire";
import { recordGc } from "./pulse/gc-facts";
import { ownTid } from "./pulse/own-tid";
import { answerStacks } from "./pulse/stack-answer";
import type { ThreadMemory } from "./thread-memory";
import { createPulse } from "./thread-pulse";

/** Incidents that wait to be folded are written at exit; the application waits no longer than this. */
const exitWaitMs = 25;
/** Far above what the watchdog uses; a leak of ours must end in its thread and not in the process. */
const watchdogHeapMb = 96;

export interface LauncherOptions {
  readonly config: Config;
  readonly memory: ThreadMemory;
  readonly signals: SharedArrayBuffer;
  readonly names: () => Omit<ThreadHandover, "thread">;
  readonly isSubscribed: () => boolean;
  readonly onIncident: (incident: Incident) => void;
}

export interface WatchdogLauncher {
  /** Does nothing if it is launched already. */
  launch(): void;
  launchAfter(delayMs: number): void;
  /** Dropped while no watchdog runs; it then starts from a snapshot. */
  post(message: ToWatchdog): void;
  stop(): void;
}

export function createWatchdogLauncher(options: LauncherOptions): WatchdogLauncher {
  const cells = signalCells(options.signals);
  const heartbeat = createPulse({
    memory: options.memory,
    onWork: () => worker?.postMessage({ kind: "wake" } satisfies ToWatchdog),
  });
  let worker: Worker | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopRecorders: readonly ((() => void) | null)[] = [];
  heartbeat.start();

  const flushAtExit = (): void => {
    guard(
      "exit",
      () => {
        if (worker === null || Atomics.load(cells, signal.pending) === 0) return;
        Atomics.store(cells, signal.flush, 1);
        worker.postMessage({ kind: "flush" } satisfies ToWatchdog);
        Atomics.wait(cells, signal.flush, 1, exitWaitMs);
      },
      undefined,
    );
  };

  function launch(): void {
    if (worker !== null) return;
    clearTimeout(timer ?? undefined);
    const answers = createAnswerCell();
    worker = guard("launch", () => createWorker(options, answers), null);
    if (worker === null) {
      Atomics.store(cells, signal.rollCall, rollCallNever);
      return;
    }
    stopRecorders = [
      guard("launch", () => recordGc(options.memory.gc), null),
      guard("launch", () => answerStacks(answers), null),
    ];
    worker.on("message", (message: FromWatchdog) => {
      if (message.kind === "beat-fast") heartbeat.beatFast();
      else if (message.kind === "incident") options.onIncident(message.incident);
    });
    worker.on("error", (error) => retreat(error));
    // Only now: a listener for messages takes a reference again.
    worker.unref();
    process.on("exit", flushAtExit);
  }

  function retreat(error: unknown): void {
    guard("launch", () => sayEnded(error), undefined);
    stop();
  }

  function stop(): void {
    clearTimeout(timer ?? undefined);
    heartbeat.stop();
    for (const stopRecorder of stopRecorders) stopRecorder?.();
    process.removeListener("exit", flushAtExit);
    Atomics.store(cells, signal.rollCall, rollCallNever);
    void worker?.terminate();
    worker = null;
  }

  return {
    launch,
    launchAfter(delayMs) {
      if (worker === null) timer = setTimeout(launch, Math.max(0, delayMs)).unref();
    },
    post: (message) => worker?.postMessage(message),
    stop,
  };
}

function sayEnded(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  createStderr().write(
    `loophound: the watchdog thread ended (${reason}); this process is no longer watched\n`,
  );
}

/**
 * execArgv and env are empty so that no preload, ours or another agent's, runs in the watchdog:
 * --require and NODE_OPTIONS are inherited by worker threads and would start workers without end.
 */
function createWorker(options: LauncherOptions, answers: SharedArrayBuffer): Worker {
  const start: WatchdogStart = {
    loophound: "watchdog",
    config: options.config,
    thread: { threadId: 0, tid: ownTid(), ...options.memory, answers },
    ...options.names(),
    signals: options.signals,
    isSubscribed: options.isSubscribed(),
  };
  return new Worker(join(__dirname, "watchdog-thread.js"), {
    workerData: start,
    execArgv: [],
    env: {},
    name: "loophound",
    resourceLimits: { maxOldGenerationSizeMb: watchdogHeapMb },
  });
}
