// A distribution in fixed buckets: cheap to feed, mergeable, cumulative since the start and never
// reset by reading, so that two scrapers do not halve each other's window.

export interface HistogramReading {
  /** For each bound, how many values were at most that; the last stands for all (`+Inf`) and is left out. */
  readonly cumulative: readonly number[];
  readonly sum: number;
  readonly count: number;
}

export interface Histogram {
  readonly bounds: readonly number[];
  /** One value, in the unit of the bounds; a negative one counts as 0, NaN not at all. About 5 ns. */
  observe(value: number): void;
  /**
   * One value, and those that it kept from being measured: where a measurement is due every
   * `interval` and one came `value` late, the next was late by `value - interval`, and so on. Without
   * them a long stall weighs as much as one punctual beat (coordinated omission).
   */
  observeEvery(value: number, interval: number): void;
  /** Adds the other's values. Throws a RangeError unless the bounds are the same. */
  merge(other: Histogram): void;
  read(): HistogramReading;
}

/** `bounds`: inclusive upper bounds, ascending. */
export function createHistogram(bounds: readonly number[]): Histogram {
  // One more for what lies above the last bound.
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  let count = 0;

  function observe(given: number): void {
    if (Number.isNaN(given)) return;
    const value = Math.max(given, 0);
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    counts[bucket] = (counts[bucket] as number) + 1;
    sum += value;
    count += 1;
  }

  return {
    bounds,
    observe,
    observeEvery(value, interval) {
      if (!(interval > 0 && value > interval && value < Number.POSITIVE_INFINITY)) {
        observe(value);
        return;
      }
      const terms = Math.ceil(value / interval);
      let below = 0;
      bounds.forEach((bound, bucket) => {
        const atMost = countAtMost(bound, value, interval, terms);
        counts[bucket] = (counts[bucket] as number) + atMost - below;
        below = atMost;
      });
      counts[bounds.length] = (counts[bounds.length] as number) + terms - below;
      sum += terms * value - (interval * terms * (terms - 1)) / 2;
      count += terms;
    },
    merge(other) {
      const isAlike =
        other.bounds.length === bounds.length && other.bounds.every((b, i) => b === bounds[i]);
      if (!isAlike) throw new RangeError("histograms with different bounds cannot be merged");
      const reading = other.read();
      let below = 0;
      [...reading.cumulative, reading.count].forEach((atMost, bucket) => {
        counts[bucket] = (counts[bucket] as number) + atMost - below;
        below = atMost;
      });
      sum += reading.sum;
      count += reading.count;
    },
    read() {
      let below = 0;
      const cumulative = bounds.map((_, bucket) => {
        below += counts[bucket] as number;
        return below;
      });
      return { cumulative, sum, count };
    },
  };
}

/** Of the terms value, value - interval, ... (`terms` of them, all above 0): how many are at most `bound`. */
function countAtMost(bound: number, value: number, interval: number, terms: number): number {
  const above = Math.max(0, Math.ceil((value - bound) / interval));
  return Math.max(0, terms - above);
}
