// Statistics of paired measurements: medians with bootstrap intervals. Pure, and the same figures from
// the same samples at every run: the random numbers have a fixed seed.

/** A median (or another figure) and the interval in which it lies in 95 of 100 resamplings. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Paired samples behind it. */
  readonly samples: number;
}

const resamplings = 500;
const seed = 0x9e3779b9;

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/**
 * `groups`: paired samples (ratios, differences) by the fresh processes that they were taken in. Samples
 * of one process are alike in what that process happens to be, so first processes are drawn, then samples.
 */
export const estimate = (groups: readonly (readonly number[])[]): Estimate =>
  estimateOf(groups, (drawn) => median(drawn.flat()));

/** As `estimate`, of any figure: `figure` is asked for that of all groups, and of each resampling. */
export function estimateOf<T>(
  groups: readonly (readonly T[])[],
  figure: (groups: readonly (readonly T[])[]) => number,
): Estimate {
  const filled = groups.filter((group) => group.length > 0);
  const random = mulberry32(seed);
  const draw = <Item>(from: readonly Item[]): Item =>
    from[Math.floor(random() * from.length)] as Item;
  const figures = Array.from({ length: filled.length === 0 ? 0 : resamplings }, () =>
    figure(
      filled.map(() => {
        const group = draw(filled);
        return group.map(() => draw(group));
      }),
    ),
  );
  return {
    median: figure(filled),
    low: quantile(figures, 0.025),
    high: quantile(figures, 0.975),
    samples: filled.flat().length,
  };
}

/** Whether the bar is met by the whole interval, by none of it, or whether the samples do not decide. */
export type Decision = "met" | "missed" | "not decided";

export function atLeast({ low, high }: Estimate, bar: number): Decision {
  if (low >= bar) return "met";
  return high < bar ? "missed" : "not decided";
}

export function atMost({ low, high }: Estimate, bar: number): Decision {
  if (high <= bar) return "met";
  return low > bar ? "missed" : "not decided";
}

/** https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (public domain) */
function mulberry32(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
