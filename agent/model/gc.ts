// One garbage collection, as perf_hooks reports it.

import type { Ms } from "./units";

export interface GcEntry {
  readonly startMs: Ms;
  readonly durationMs: Ms;
  readonly gcKind: GcKind;
}

/** perf_hooks constants NODE_PERFORMANCE_GC_*: 1 minor, 4 major, 8 incremental, 16 weakcb. */
export const gcKinds = ["minor", "major", "incremental", "weakcb"] as const;
export type GcKind = (typeof gcKinds)[number];
