// One function of a native addon, loaded twice from two files: before the agent, which leaves it alone, and
// after, which forwards it. Blocks of calls take turns. Arguments: the two files; `plain` loads both before.
// Prints nanoseconds per call for each pair of blocks, as JSON.

import { performance } from "node:perf_hooks";
import { argv } from "node:process";
import { startAgent } from "../../agent/start";
import { takeTurns } from "./turns";

const blocks = 100;
const callsPerBlock = 200_000;

type Call = (a: number, b: number) => number;

const load = (file: string): Call => (require(file) as { readonly sum: Call }).sum;

/** Made anew for each function: one shared by both would be compiled for two targets. */
const makeBlock = (call: Call): (() => number) =>
  new Function(
    "call",
    "performance",
    `return () => {
      const before = performance.now();
      for (let i = 0; i < ${callsPerBlock}; i++) call(i, 1);
      return ((performance.now() - before) * 1e6) / ${callsPerBlock};
    };`,
  )(call, performance);

async function main(): Promise<void> {
  const [kind, first = "", second = ""] = argv.slice(2);
  const plainCall = load(first);
  const early = kind === "plain" ? load(second) : null;
  startAgent(process.env);
  const plain = makeBlock(plainCall);
  const other = makeBlock(early ?? load(second));
  const pairs = await takeTurns(plain, other, blocks);
  process.stdout.write(JSON.stringify(pairs), () => process.exit());
}

void main();
