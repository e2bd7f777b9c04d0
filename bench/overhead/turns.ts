// Two blocks of work in one process take turns, each first as often as second.

import type { BlockPairs } from "./raw";

/** Does its operations and returns what one of them took, in nanoseconds. */
export type Block = () => number | Promise<number>;

/** Rounds until the optimising compilers have seen everything, and are not counted. */
const warmUpShare = 0.2;

export async function takeTurns(plain: Block, other: Block, pairs: number): Promise<BlockPairs> {
  const times: { plain: number[]; other: number[] } = { plain: [], other: [] };
  const warmUp = Math.ceil(pairs * warmUpShare);
  for (let i = 0; i < warmUp + pairs; i++) {
    const isPlainFirst = i % 2 === 0;
    const first = await (isPlainFirst ? plain : other)();
    const second = await (isPlainFirst ? other : plain)();
    if (i < warmUp) continue;
    times.plain.push(rounded(isPlainFirst ? first : second));
    times.other.push(rounded(isPlainFirst ? second : first));
  }
  return times;
}

const rounded = (ns: number): number => Math.round(ns * 100) / 100;
