// How long the application itself waited: measured around its own await, as its own monitoring would.

/** Half an hour at a hundred a second; what comes after is not recorded. */
const samplesMax = 180_000;

/** EXPIRE costs Redis next to nothing: a single one that takes longer is one too many. */
const slowMs = 50;

export interface LatencySummary {
  readonly count: number;
  /** How many took more than 50 ms. */
  readonly slow: number;
  /** In milliseconds; null without a sample, here and below. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export interface Latencies {
  /** Times what `work` starts, from the call to the result, and passes the result on. */
  measure<T>(work: () => Promise<T>): Promise<T>;
  summary(): LatencySummary;
}

/** An empty record of latencies. */
export function recordLatencies(): Latencies {
  const samplesMs: number[] = [];
  return {
    async measure(work) {
      const startedMs = performance.now();
      const result = await work();
      if (samplesMs.length < samplesMax) samplesMs.push(performance.now() - startedMs);
      return result;
    },
    summary: () => summarize(samplesMs),
  };
}

/** Exact percentiles by the nearest-rank method. */
export function summarize(samplesMs: readonly number[]): LatencySummary {
  const sorted = [...samplesMs].sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  const slow = sorted.filter((sample) => sample > slowMs).length;
  return { count: sorted.length, slow, p50Ms: rank(0.5), p99Ms: rank(0.99), maxMs: rank(1) };
}
