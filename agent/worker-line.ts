// A worker thread's line to the watchdog: it announces the thread, beats, passes names on, and hears
// what the watchdog wants. Application threads, from the first turn of the worker's loop on.

import { guard } from "./base/guard";
import { rollCallNever, signal, signalCells } from "./base/signals";
import { flagCells, hearAsked } from "./base/thread-flags";
import type { Incident } from "./model/incident";
import type { FromWatchdog, ThreadHandover, ToWatchdog } from "./model/wire";
import { recordGc } from "./pulse/gc-facts";
import { ownTid } from "./pulse/own-tid";
import type { ThreadMemory } from "./thread-memory";
import { createPulse } from "./thread-pulse";
import { type Channel, hearWatchdog, openToWatchdog } from "./worker-channels";

export interface WorkerLineOptions {
  readonly threadId: number;
  readonly memory: ThreadMemory;
  readonly signals: SharedArrayBuffer;
  readonly names: () => Omit<ThreadHandover, "thread">;
  readonly onIncident: (incident: Incident) => void;
  /** There is no watchdog any more, and will be none. */
  readonly onEnded: () => void;
}

export interface WorkerLine {
  post(message: ToWatchdog): void;
  /** Hears of incidents from now on. */
  subscribe(): void;
  close(): void;
}

export function createWorkerLine(options: WorkerLineOptions): WorkerLine {
  const { threadId, memory } = options;
  const cells = signalCells(options.signals);
  const up = openToWatchdog();
  let down: Channel<never> | null = null;
  const thread = { threadId, tid: ownTid(), ...memory };
  let answeredCall = 0;

  const post = (message: ToWatchdog): void => up.post({ threadId, message });
  const pulse = createPulse({
    memory,
    onWork: () => post({ kind: "wake" }),
    // By a number in memory: a watchdog that calls the roll does not know whom to send a message.
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
    if (down !== null) post({ kind: "subscribe" });
  }

  const hear = (message: FromWatchdog): void => {
    if (message.kind === "incident") options.onIncident(message.incident);
  };

  const stopGc = recordGc(memory.gc);
  const stopHearing = hearAsked(flagCells(memory.flags), () =>
    guard("message", () => pulse.beatFast(), undefined),
  );
  announce(Atomics.load(cells, signal.rollCall));
  pulse.start();
  return {
    post,
    subscribe() {
      down ??= hearWatchdog(threadId, (message) =>
        guard("message", () => hear(message), undefined),
      );
      post({ kind: "subscribe" });
    },
    close() {
      pulse.stop();
      stopGc();
      stopHearing();
      up.close();
      down?.close();
    },
  };
}
