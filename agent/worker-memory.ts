// Shared memory of a worker thread, made when something is first written to it. Application threads.

import { flagCells, threadFlag } from "./base/thread-flags";
import { createThreadMemory, type ThreadMemory } from "./thread-memory";

/** A quarter of the main thread's: there may be dozens of workers, and few of them send much. */
const ledgerRecords = 4096;

export interface WorkerMemory {
  readonly cells: ThreadMemory;
  /** Others wait for this loop from now on. */
  setServing(): void;
  /** The thread's JavaScript has come to its end. */
  setEnded(): void;
}

export function createWorkerMemory(): WorkerMemory {
  const cells = createThreadMemory(ledgerRecords);
  const flags = flagCells(cells.flags);
  return {
    cells,
    setServing: () => void Atomics.store(flags, threadFlag.serves, 1),
    setEnded: () => void Atomics.store(flags, threadFlag.ended, 1),
  };
}
