// The main job, on this machine, in half a minute: `npm run demo`. A private redis-server, the API of the
// founding incident under loophound, real traffic; and at the end the same with the client that does not
// block. Exits 0 only if loophound named what was really there.

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { argv, stderr, stdout } from "node:process";
import type { Incident } from "../../agent/model/incident";
import { type RedisServer, startRedisServer } from "../../test/support/redis-server";
import { agentEntry } from "../../test/support/run-app";
import { describeIncident } from "./demo/describe";
import { blamingTheApp, type Check, judge, type Truth } from "./demo/judge";
import { type DemoOptions, parseOptions, usage } from "./demo/options";
import { type RunResult, run } from "./demo/run";
import { openScreen, type Screen } from "./demo/screen";
import { beforeAfterTable, longestStallMs, stallCount } from "./demo/table";

/** All of them are in the log; more than this on the screen would hide what they say. */
const incidentsShown = 6;
const stderrShownChars = 2_000;

async function main(): Promise<number> {
  const parsed = parseOptions(argv.slice(2));
  if (parsed.kind === "help") {
    stdout.write(usage);
    return 0;
  }
  if (parsed.kind === "mistake") {
    stderr.write(`${parsed.says}\n\n${usage}`);
    return 2;
  }
  if (!existsSync(agentEntry)) throw new Error(`the agent is not compiled: no ${agentEntry}`);
  const redis = await startRedisServer();
  try {
    return await show(parsed.options, redis);
  } finally {
    await redis.stop();
  }
}

async function show(options: DemoOptions, redis: RedisServer): Promise<number> {
  const screen = openScreen(options.json ? stderr : stdout, stderr);
  const { seconds, client } = options;
  screen.block(`\nA private redis-server on 127.0.0.1:${redis.port}, process ${redis.pid}.`);
  screen.block("\n1. The API with a synchronous session client, under loophound");
  const spec = { title: "synchronous", sessions: "sync", client, seconds } as const;
  const before = await run(spec, redis, screen, showSome(screen));
  screen.block("\n2. The same API, the same traffic, with an asynchronous client");
  const after = await run(
    { title: "asynchronous", sessions: "async", client: null, seconds },
    redis,
    screen,
    showSome(screen),
  );
  const checks = [...judge(before.incidents, truthOf(before, redis.port)), silence(after)];
  const ok = checks.every((check) => check.ok);
  screen.block(`\n${beforeAfterTable(before, after)}\n`);
  for (const check of checks)
    screen.block(`  ${check.ok ? "yes" : "NO "}  ${check.question}${why(check)}`);
  screen.block(ok ? "\nloophound named what was really there." : failure(before, after));
  if (options.json) stdout.write(`${JSON.stringify(report(ok, checks, before, after), null, 2)}\n`);
  return ok ? 0 : 1;
}

const why = ({ ok, found }: Check) => (ok ? "" : `; it says ${found}`);

/** The first few in full, then one short line for each. */
function showSome(screen: Screen): (incident: Incident) => void {
  let shown = 0;
  return (incident) => {
    shown += 1;
    if (shown <= incidentsShown) screen.block(`\n${describeIncident(incident)}\n`);
    else screen.block(describeIncident(incident).split("\n")[0] ?? "");
  };
}

function truthOf({ client }: RunResult, redisPort: number): Truth {
  const [module, name] =
    client === "koffi" ? ["koffi.node", "koffi-redis"] : ["syncredis.node", "sessions"];
  const source = join(__dirname, "../../../examples/incident", `${name}.ts`);
  return { module, redisPort, files: [join(__dirname, `${name}.js`), source] };
}

function silence({ incidents }: RunResult): Check {
  const blaming = blamingTheApp(incidents);
  return {
    question: "the asynchronous client gave no incident",
    ok: blaming.length === 0,
    found: blaming
      .map(({ cause, durationMs }) => `${cause} for ${Math.round(durationMs)} ms`)
      .join(", "),
  };
}

function failure(before: RunResult, after: RunResult): string {
  const said = [before, after].map(({ stderr: text }) => text.slice(-stderrShownChars)).join("\n");
  return `\nloophound did NOT name what was there. The API and the agent printed:\n${said}`;
}

function report(ok: boolean, checks: readonly Check[], before: RunResult, after: RunResult) {
  const side = (result: RunResult) => ({
    expire: result.expire,
    stalls: stallCount(result),
    longestStallMs: longestStallMs(result),
    load: result.load,
    incidents: result.incidents,
  });
  return { ok, checks, client: before.client, before: side(before), after: side(after) };
}

// The Redis server ends with this process whatever happens; a signal must only make us end at once.
for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => process.exit(status));
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: Error) => {
    stderr.write(`\n${basename(__filename)}: ${error.message}\n`);
    process.exitCode = 1;
  },
);
