// From raw samples to estimates: what a contender costs against the plain process beside it. Pure.

import type { BlockPairs, Burst, HookCostResults, ProcessResults, ThroughputResults } from "./raw";
import { type Estimate, estimate, estimateOf, median, quantile } from "./stats";

/** The plain process, and its double by which the noise is told. */
export const plainName = "none";
export const doubleName = "again";

/** Against the plain process, burst by burst of the same round. */
export interface Comparison {
  readonly contender: string;
  /** Operations per second, as a ratio. */
  readonly throughput: Estimate;
  /** CPU time of the main thread per operation, more than plain; null where the system does not tell. */
  readonly threadNs: Estimate | null;
  /** CPU time of all threads per operation, more than plain. */
  readonly processNs: Estimate;
  /** Resident memory at the end, as a ratio. */
  readonly rss: Estimate;
}

export function compareThroughput(results: ThroughputResults): readonly Comparison[] {
  return results.contenders
    .filter((name) => name !== plainName)
    .map((contender) => {
      const paired = (figure: (one: Burst, plain: Burst) => number): Estimate =>
        estimate(
          results.generations.map(({ bursts }) =>
            pairUp(bursts[contender], bursts[plainName], figure),
          ),
        );
      const hasThread = results.generations.every(({ bursts }) =>
        Object.values(bursts).every((list) => list.every(({ threadNs }) => threadNs !== null)),
      );
      return {
        contender,
        throughput: paired((one, plain) => perSecond(one) / perSecond(plain)),
        threadNs: hasThread ? paired((one, plain) => threadEach(one) - threadEach(plain)) : null,
        processNs: paired((one, plain) => processEach(one) - processEach(plain)),
        rss: estimate(
          results.generations.map(({ rssBytes }) => [
            (rssBytes[contender] ?? Number.NaN) / (rssBytes[plainName] ?? Number.NaN),
          ]),
        ),
      };
    });
}

function pairUp(
  ones: readonly Burst[] | undefined,
  plains: readonly Burst[] | undefined,
  figure: (one: Burst, plain: Burst) => number,
): readonly number[] {
  return (ones ?? []).flatMap((one, i) => {
    const plain = plains?.[i];
    return plain === undefined ? [] : [figure(one, plain)];
  });
}

const perSecond = ({ operations, wallNs }: Burst): number => operations / (wallNs / 1e9);
const threadEach = ({ operations, threadNs }: Burst): number =>
  (threadNs ?? Number.NaN) / operations;
const processEach = ({ operations, processNs }: Burst): number => processNs / operations;

/** What the plain process does in a second and what an operation costs it, medians of all bursts. */
export function plainFigures(results: ThroughputResults) {
  const bursts = results.generations.flatMap((one) => one.bursts[plainName] ?? []);
  return { perSecond: median(bursts.map(perSecond)), threadNs: median(bursts.map(threadEach)) };
}

export interface HookCost {
  readonly plainNs: number;
  /** Other minus plain in ns, where both were plain: the noise. */
  readonly self: Estimate;
  readonly hooked: Estimate;
}

/**
 * By the lower deciles: whatever else runs on the machine only ever makes a block longer, so the
 * shortest ones tell what the work itself takes.
 */
export function compareHookCost({ self, hooked }: HookCostResults): HookCost {
  return {
    plainNs: median([...self, ...hooked].map(({ plain }) => quantile(plain, undisturbed))),
    self: difference(self),
    hooked: difference(hooked),
  };
}

const undisturbed = 0.1;

const difference = (processes: readonly BlockPairs[]): Estimate =>
  estimateOf(
    processes.map(({ plain, other }) =>
      plain.map((each, i) => [each, other[i] ?? Number.NaN] as const),
    ),
    (groups) => median(groups.map(lessDisturbed)),
  );

const lessDisturbed = (pairs: readonly (readonly [number, number])[]): number =>
  quantile(
    pairs.map(([, other]) => other),
    undisturbed,
  ) -
  quantile(
    pairs.map(([plain]) => plain),
    undisturbed,
  );

/** One figure of each contender, more than that of the plain process of the same round. */
export function compareProcesses(
  { runs }: ProcessResults,
  figure: string,
): Readonly<Record<string, Estimate>> {
  const plains = runs[plainName] ?? [];
  const others = Object.entries(runs).filter(([name]) => name !== plainName);
  return Object.fromEntries(
    others.map(([name, list]) => [
      name,
      estimate([
        list.map((run, i) => (run[figure] ?? Number.NaN) - (plains[i]?.[figure] ?? Number.NaN)),
      ]),
    ]),
  );
}
