// The raw results as they are kept in bench/results: every sample, and where it was taken.

export interface Machine {
  readonly takenAt: string;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly cpus: number;
  readonly cpu: string;
  /** Average load of the last minute at the beginning and at the end: what else ran on the machine. */
  readonly load: readonly [number, number];
}

/** What one burst of a workload cost. */
export interface Burst {
  readonly operations: number;
  readonly wallNs: number;
  /** Of the main thread; null where the system does not tell. */
  readonly threadNs: number | null;
  readonly processNs: number;
}

/** One generation of fresh processes that took turns; `none` is measured twice, the second as `again`. */
export interface Generation {
  readonly bursts: Readonly<Record<string, readonly Burst[]>>;
  /** At the end, by contender. */
  readonly rssBytes: Readonly<Record<string, number>>;
}

export interface ThroughputResults {
  readonly kind: "throughput";
  readonly workload: string;
  readonly machine: Machine;
  readonly contenders: readonly string[];
  readonly generations: readonly Generation[];
}

/** Nanoseconds per operation, plain and hooked blocks that took turns in one process. */
export interface BlockPairs {
  readonly plain: readonly number[];
  readonly other: readonly number[];
}

export interface HookCostResults {
  readonly kind: "hook-cost";
  readonly workload: string;
  readonly machine: Machine;
  /** Fresh processes in which both copies were plain. */
  readonly self: readonly BlockPairs[];
  /** Fresh processes in which the other copy had the agent's hooks. */
  readonly hooked: readonly BlockPairs[];
}

/** Fresh processes that took turns; one figure each. */
export interface ProcessResults {
  readonly kind: "start-up" | "idle";
  readonly machine: Machine;
  readonly runs: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>;
}

export type Results = ThroughputResults | HookCostResults | ProcessResults;
