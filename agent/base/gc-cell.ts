// Shared memory for garbage collections: totals by kind, and a ring of those long enough to matter
// for a stall. The watched thread writes once per collection, the watchdog reads.

import { type GcEntry, type GcKind, gcKinds } from "../model/gc";
import { type Ms, ms } from "../model/units";

/** Shorter ones only count in the totals: no stall of 20 ms is made of fewer than twenty of them. */
const keptFromMs = 1;
const entriesKept = 256;
const fieldsPerEntry = 3;

const countIndex = 0;
const totalsIndex = 1;
const ringIndex = totalsIndex + gcKinds.length;

export function createGcCell(): SharedArrayBuffer {
  return new SharedArrayBuffer(8 * (ringIndex + entriesKept * fieldsPerEntry));
}

export function gcWriter(cell: SharedArrayBuffer): (entry: GcEntry) => void {
  const cells = new Float64Array(cell);
  return ({ startMs, durationMs, gcKind }) => {
    const kind = gcKinds.indexOf(gcKind);
    cells[totalsIndex + kind] = (cells[totalsIndex + kind] as number) + durationMs;
    if (durationMs < keptFromMs) return;
    const count = cells[countIndex] as number;
    const at = ringIndex + (count % entriesKept) * fieldsPerEntry;
    cells[at] = startMs;
    cells[at + 1] = durationMs;
    cells[at + 2] = kind;
    cells[countIndex] = count + 1;
  };
}

export interface GcReader {
  /** Milliseconds spent so far, by kind. */
  totals(): ReadonlyMap<GcKind, Ms>;
  /** Kept collections of which any part lies in the interval, oldest first. */
  overlapping(startMs: Ms, endMs: Ms): readonly GcEntry[];
}

export function gcReader(cell: SharedArrayBuffer): GcReader {
  const cells = new Float64Array(cell);
  const at = (index: number): number => cells[index] as number;
  return {
    totals: () => new Map(gcKinds.map((kind, i) => [kind, ms(at(totalsIndex + i))])),
    overlapping(startMs, endMs) {
      const count = at(countIndex);
      const found: GcEntry[] = [];
      for (let i = Math.max(0, count - entriesKept); i < count; i++) {
        const base = ringIndex + (i % entriesKept) * fieldsPerEntry;
        const entry: GcEntry = {
          startMs: ms(at(base)),
          durationMs: ms(at(base + 1)),
          gcKind: gcKinds[at(base + 2)] ?? "major",
        };
        const isOverlapping = entry.startMs <= endMs && entry.startMs + entry.durationMs >= startMs;
        if (isOverlapping) found.push(entry);
      }
      return found;
    },
  };
}
