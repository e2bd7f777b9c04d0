// `npm run accuracy`: runs the labelled programs one after another, for time is measured, on each Node version,
// and prints how much of what the agent said was true. Ends with status 1 if a program failed or an innocent was accused.

import { resolve } from "node:path";
import { findNodeVersions } from "../../test/support/node-versions";
import {
  findRedisServer,
  type RedisServer,
  startRedisServer,
} from "../../test/support/redis-server";
import { agentEntry } from "../../test/support/run-app";
import { writeTables } from "./docs";
import type { AgentReader } from "./finding";
import { keptResults } from "./kept-results";
import { type Options, parseOptions, usage } from "./options";
import { listPrograms } from "./programs";
import { loophound } from "./readers/loophound";
import { reportJson, reportText } from "./report";
import { type Agent, type NodeUnderTest, runProgram } from "./run-program";
import { type Result, score } from "./score";

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(usage);
    return 0;
  }
  const agent = agentOf(options);
  const nodes = findNodeVersions().filter(
    ({ major }) => options.majors.length === 0 || options.majors.includes(major),
  );
  const redis =
    options.isReportOnly || findRedisServer() === null ? null : await startRedisServer();
  try {
    const byNode = new Map<string, readonly Result[]>();
    for (const node of nodes) byNode.set(node.version, await runAll(options, agent, node, redis));
    return conclude(options, byNode);
  } finally {
    await redis?.stop();
  }
}

function agentOf({ agent }: Options): Agent {
  if (agent === null) return { preload: agentEntry, reader: loophound };
  const module = require(resolve(agent.reader)) as { default?: AgentReader } & AgentReader;
  return { preload: resolve(agent.preload), reader: module.default ?? module };
}

async function runAll(
  options: Options,
  agent: Agent,
  node: NodeUnderTest,
  redis: RedisServer | null,
): Promise<readonly Result[]> {
  const kept = keptResults(agent.reader.name);
  const results: Result[] = [];
  const programs = listPrograms(options.only);
  const runs = programs.flatMap((program) =>
    Array.from({ length: options.repeat }, (_, index) => ({ program, round: index + 1 })),
  );
  for (const [index, { program, round }] of runs.entries()) {
    const earlier = options.isResumed ? kept.read(program.name, node.version, round) : null;
    if (earlier !== null && (options.isReportOnly || score([earlier]).failed.length === 0)) {
      results.push(earlier);
      continue;
    }
    if (options.isReportOnly) continue;
    kept.forget(program.name, node.version, round);
    const result = await runProgram(program, node, agent, redis);
    kept.write(result, round);
    results.push(result);
    say(`${node.version} ${index + 1}/${runs.length} ${program.name}: ${inShort(result)}`);
  }
  return results;
}

function inShort(result: Result): string {
  const { skipped, failed, innocent, wrong, stalls } = score([result]);
  const reason = result.truth.find(({ kind }) => kind === "skipped" || kind === "failed");
  const why = reason !== undefined && "why" in reason ? reason.why : "it did not come to its end";
  if (skipped.length > 0) return `skipped, ${why}`;
  if (failed.length > 0) return `FAILED, ${why}`;
  const mistakes = wrong.map(
    ({ aspect, expected, got }) => `\n    ${aspect}: expected ${expected}, got ${got}`,
  );
  if (innocent.programs > 0) return mistakes.length > 0 ? `reported${mistakes.join("")}` : "silent";
  return `${stalls} stalls${mistakes.join("")}`;
}

function conclude(options: Options, byNode: ReadonlyMap<string, readonly Result[]>): number {
  const scores = new Map([...byNode].map(([node, results]) => [node, score(results)]));
  process.stdout.write(options.isJson ? reportJson(scores) : reportText(scores));
  if (options.writesDocs) writeTables(scores);
  const isClean = [...scores.values()].every(
    ({ failed, innocent }) => failed.length === 0 && innocent.accused.length === 0,
  );
  return isClean ? 0 : 1;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: Error) => {
    say(`accuracy: ${error.message}\n${usage}`);
    process.exitCode = 2;
  },
);
