// A worker thread's line to the watchdog: it announces the thread, beats, passes names on, and hears
// what the watchdog wants. Application threads, from the first turn of the worker's loop on.

import { guard } from "./base/guard";
import { rollCallNever, signal, signalCells } from "./base/signals";
import type { Incident } from "./model/incident";
import type { FromWatchdog, ThreadHandover, ToWatchdog } from "./model/wire";
import { recordGc } from "./pulse/gc-facts";
import { ownTid } from "./pulse/own-tid";
import type { ThreadMemory } from "./thread-memory";
import { createPulse } from "./thread-pulse";
import { hearWatchdog, openToWatchdog } from "./worker-channels";

export interface WorkerLineOptions {
  readonly threadId: number;
  readonly memory: ThreadMemory;
  readonly signals: SharedArrayBuffer;
  readonly names: () => Omit<ThreadHandover, "thread">;
  readonly isSubscribed: () => boolean;
  readonly onIncident: (incident: Incident) => void;
  /** There is no watchdog any more, and will be none. */
  readonly onEnded: () => void;
}

export interface WorkerLine {
  post(message: ToWatchdog): void;
  close(): void;
}

export function createWorkerLine(options: WorkerLineOptions): WorkerLine {
  const { threadId, memory } = options;
  const cells = signalCells(options.signals);
  const up = openToWatchdog();
  const down = hearWatchdog(threadId, (message) =>
    guard("message", () => hear(message), undefined),
  );
  const thread = { threadId, tid: ownTid(), ...memory };
  let answeredCall = 0;
  let isClosed = false;

  const post = (message: ToWatchdog): void => {
    if (!isClosed) up.post({ threadId, message });
  };
  const pulse = createPulse({
    memory,
    onWork: () => post({ kind: "wake" }),
    // A roll call needs no message: a worker would have to be told of it by a watchdog that cannot know it.
    onBeat: () => {
      const call = Atomics.load(cells, signal.rollCall);
      if (call === rollCallNever) options.onEnded();
      else if (call !== answeredCall) announce(call);
    },
  });

  function announce(call: number): void {
    answeredCall = call;
    const handover: ThreadHandover = { thread, ...options.names() };
    up.post({ threadId, message: { kind: "thread", handover } });
    if (options.isSubscribed()) post({ kind: "subscribe" });
  }

  function hear(message: FromWatchdog): void {
    if (message.kind === "beat-fast") pulse.beatFast();
    else options.onIncident(message.incident);
  }

  const stopGc = recordGc(memory.gc);
  announce(Atomics.load(cells, signal.rollCall));
  pulse.start();
  return {
    post,
    close() {
      isClosed = true;
      pulse.stop();
      stopGc();
      up.close();
      down.close();
    },
  };
}
