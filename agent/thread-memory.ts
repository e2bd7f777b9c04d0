// Shared memory of one watched thread, made by the thread itself. Application threads.

import { createBeatCell } from "./base/beat-cell";
import { createGcCell } from "./base/gc-cell";
import { createLedger } from "./base/ledger";
import { createMarkerCell } from "./base/marker-cell";
import { createThreadFlags } from "./base/thread-flags";
import type { WatchedThread } from "./model/wire";

export type ThreadMemory = Pick<WatchedThread, "beat" | "ledger" | "gc" | "marker" | "flags">;

/** A quarter of the main thread's: there may be dozens of workers, and few of them send much. */
const workerLedgerRecords = 4096;

export const createMainMemory = (): ThreadMemory => memoryWith(createLedger());

export const createWorkerMemory = (): ThreadMemory => memoryWith(createLedger(workerLedgerRecords));

const memoryWith = (ledger: SharedArrayBuffer): ThreadMemory => ({
  beat: createBeatCell(),
  ledger,
  gc: createGcCell(),
  marker: createMarkerCell(),
  flags: createThreadFlags(),
});
