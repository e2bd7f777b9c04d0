// Shared memory of one watched thread, made by the thread itself. Application threads.

import { createBeatCell } from "./base/beat-cell";
import { createGcCell } from "./base/gc-cell";
import { createLedger } from "./base/ledger";
import { createMarkerCell } from "./base/marker-cell";
import { createThreadFlags } from "./base/thread-flags";
import type { WatchedThread } from "./model/wire";

export type ThreadMemory = Pick<WatchedThread, "beat" | "ledger" | "gc" | "marker" | "flags">;

/** `ledgerRecords`: a power of two; as many as the main thread has by default. */
export const createThreadMemory = (ledgerRecords?: number): ThreadMemory => ({
  beat: createBeatCell(),
  ledger: createLedger(ledgerRecords),
  gc: createGcCell(),
  marker: createMarkerCell(),
  flags: createThreadFlags(),
});
