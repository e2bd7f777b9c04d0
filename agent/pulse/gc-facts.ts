// Garbage collections of the application thread, from perf_hooks into shared memory.

import { constants, PerformanceObserver } from "node:perf_hooks";
import { fromPerformanceTime } from "../base/clock";
import { gcWriter } from "../base/gc-cell";
import { guard } from "../base/guard";
import type { GcKind } from "../model/gc";
import { ms } from "../model/units";

const kindNames = new Map<number, GcKind>([
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weakcb"],
]);

interface GcPerformanceEntry {
  readonly startTime: number;
  readonly duration: number;
  readonly detail?: { readonly kind?: number };
}

/** Several collections can come in one callback: all are read. Returns a function that stops it. */
export function recordGc(cell: SharedArrayBuffer): () => void {
  const write = gcWriter(cell);
  const observer = new PerformanceObserver((list) => {
    guard(
      "pulse",
      () => {
        for (const entry of list.getEntries() as unknown as GcPerformanceEntry[]) {
          write({
            startMs: fromPerformanceTime(entry.startTime),
            durationMs: ms(entry.duration),
            gcKind: kindNames.get(entry.detail?.kind ?? -1) ?? "major",
          });
        }
      },
      undefined,
    );
  });
  observer.observe({ entryTypes: ["gc"] });
  return () => observer.disconnect();
}
