// Throughput and CPU per operation on real sockets: fresh processes, one for each contender, take turns in
// short bursts, so that what the machine does besides falls on all of them alike. The plain process is there
// twice: how far the second seems from the first is the noise.

import { describeMachine } from "./clocks";
import { type ContenderName, contenderNames, startContender } from "./contender";
import type { Burst, Generation, ThroughputResults } from "./raw";

const generationsOfProcesses = 5;
const roundsPerGeneration = 14;
const burstMs = 300;
/** Until the optimising compilers have seen everything. */
const warmUpRounds = 4;

export async function measureThroughput(
  workload: string,
  port: number,
  contenders: readonly ContenderName[] = contenderNames,
): Promise<ThroughputResults> {
  const machine = describeMachine();
  const generations: Generation[] = [];
  for (let i = 0; i < generationsOfProcesses; i++) {
    generations.push(await oneGeneration(workload, port, rotated(contenders, i)));
  }
  return { kind: "throughput", workload, machine: machine(), contenders, generations };
}

const rotated = <T>(list: readonly T[], by: number): readonly T[] => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length),
];

async function oneGeneration(
  workload: string,
  port: number,
  names: readonly ContenderName[],
): Promise<Generation> {
  const started = [];
  for (const name of names)
    started.push([name, await startContender(name, workload, port)] as const);
  const bursts: Record<string, Burst[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < warmUpRounds + roundsPerGeneration; round++) {
    // Forth and back: nobody always runs after the same one.
    const order =
      round % 2 === 0 ? rotated(started, round >> 1) : rotated(started, round >> 1).toReversed();
    for (const [name, contender] of order) {
      const burst = await contender.burst(burstMs);
      if (round >= warmUpRounds) bursts[name]?.push(burst);
    }
  }
  const rssBytes: Record<string, number> = {};
  for (const [name, contender] of started) rssBytes[name] = await contender.end();
  return { bursts, rssBytes };
}
