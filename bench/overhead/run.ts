// `npm run bench`: measures what it is asked for (everything by default), keeps the raw results and writes
// docs/benchmarks.md. `npm run bench -- hook-cost` runs the parts whose names begin so; `-- report` none.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { startRabbitServer } from "../../test/support/rabbitmq-server";
import { startRedisServer } from "../../test/support/redis-server";
import { hookCostWorkloads, measureHookCost } from "./hook-cost";
import { installClients } from "./install";
import { repository, resultsFolder } from "./paths";
import { measureIdle, measureStartUp } from "./processes";
import type { Results } from "./raw";
import { report } from "./report";
import { measureThroughput } from "./throughput";

const redisWorkloads = ["ioredis-round-trips", "ioredis-pipelines", "node-redis-round-trips"];

async function onRabbit(workload: string): Promise<Results> {
  const server = await startRabbitServer();
  try {
    return await measureThroughput(workload, server.port);
  } finally {
    await server.stop();
  }
}

type Part = () => Promise<Results>;

const parts: Readonly<Record<string, Part>> = {
  ...Object.fromEntries(
    hookCostWorkloads.map((name) => [`hook-cost-${name}`, async () => measureHookCost(name)]),
  ),
  ...Object.fromEntries(redisWorkloads.map((name) => [`throughput-${name}`, () => onRedis(name)])),
  "throughput-amqplib-publish": () => onRabbit("amqplib-publish"),
  "start-up": async () => measureStartUp(),
  idle: measureIdle,
};

async function onRedis(workload: string): Promise<Results> {
  const server = await startRedisServer();
  try {
    return await measureThroughput(workload, server.port);
  } finally {
    await server.stop();
  }
}

/** Sorted by name, so that the report does not depend on the order of measuring. */
export function readResults(folder: string): readonly Results[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Results);
}

async function main(): Promise<void> {
  const asked = argv.slice(2);
  const chosen = Object.entries(parts).filter(
    ([name]) => asked.length === 0 || asked.some((word) => name.startsWith(word)),
  );
  if (chosen.length === 0 && asked[0] !== "report") {
    console.error(`parts: ${[...Object.keys(parts), "report"].join(", ")}`);
    process.exitCode = 2;
    return;
  }
  installClients();
  mkdirSync(resultsFolder, { recursive: true });
  for (const [name, measure] of chosen) {
    console.error(`measuring ${name}`);
    const results = await measure();
    writeFileSync(join(resultsFolder, `${name}.json`), `${JSON.stringify(results)}\n`);
  }
  writeFileSync(join(repository, "docs/benchmarks.md"), report(readResults(resultsFolder)));
  console.error("wrote docs/benchmarks.md");
}

if (require.main === module) void main();
