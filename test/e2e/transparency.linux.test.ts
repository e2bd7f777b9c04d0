// An application cannot tell, and nobody who runs it can, that the agent is there: the same bytes on stdout
// and stderr, the same exit code, the same signal, however it ends.

import { describe, expect, test } from "@jest/globals";
import { findNodeVersions } from "../support/node-versions";
import { type AppOptions, agentEntry, runApp } from "../support/run-app";
import { appPath } from "./support/watched-app";

const endings = [
  "normal end",
  "process.exit",
  "process.exit inside a stall",
  "process.exit in an exit listener",
  "process.exitCode",
  "top-level throw",
  "throw in a timer",
  "throw of something that is no error",
  "throw in a required module",
  "missing module",
  "unhandled rejection",
  "handled uncaught exception",
  "warning",
  "process.abort",
  "own SIGTERM",
  "own SIGTERM with a handler",
  "beforeExit",
] as const;

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
}

async function run(options: AppOptions): Promise<Run> {
  const app = runApp(options);
  const exit = await app.exited;
  const [stdout, stderr] = [app.stdout(), app.stderr()];
  await app.stop();
  return { stdout, stderr, ...exit };
}

/**
 * What differs between any two runs: process ids and addresses, in the words that Node prints; and in the
 * native trace of an abort the file of a frame, which code that V8 has compiled meanwhile does not have.
 */
const withoutIds = ({ stdout, stderr, ...exit }: Run): Run => ({
  ...exit,
  stdout,
  stderr: stderr
    .replaceAll(/\(node:\d+\)/g, "(node:PID)")
    .replaceAll(/\[\d+\]: /g, "[PID]: ")
    .replaceAll(/0x[0-9a-f]+/g, "0xADDRESS")
    .replaceAll(/^( *\d+: 0xADDRESS).*$/gm, "$1"),
});

interface Variant {
  readonly says: string;
  /** The run that it must equal. */
  readonly bare: Partial<AppOptions>;
  readonly options: Partial<AppOptions>;
}

/** There from the start. An incident would rightly be told of; these endings are not about incidents. */
const atOnce = { LOOPHOUND_START_DELAY_MS: "0", LOOPHOUND_INCIDENT_MS: "60000" };

const variants: readonly Variant[] = [
  {
    says: "the agent that is silent",
    bare: {},
    options: { env: { LOOPHOUND_STDERR: "off", LOOPHOUND_START_DELAY_MS: "0" } },
  },
  { says: "the agent that speaks of incidents", bare: {}, options: { env: atOnce } },
  { says: "the agent in NODE_OPTIONS, with its usual delay", bare: {}, options: viaNodeOptions() },
  {
    says: "the agent as an --import",
    // Any --import, even of nothing, moves the arrow below the line of an uncaught error in Node 20.
    bare: { nodeArgs: ["--import", "data:text/javascript,"] },
    options: { agent: false, nodeArgs: ["--import", agentEntry], env: atOnce },
  },
];

function viaNodeOptions(): Partial<AppOptions> {
  const env = { NODE_OPTIONS: `--require ${agentEntry}`, LOOPHOUND_INCIDENT_MS: "60000" };
  return { agent: false, env };
}

describe.each(findNodeVersions())("on Node $version", ({ binary }) => {
  async function expectSame(script: string, args: readonly string[] = []): Promise<void> {
    const common = { script: appPath(script), args, nodeBinary: binary };
    const pairs = variants.map(async ({ says, bare, options }) => {
      const [expected, found] = await Promise.all([
        run({ ...common, ...bare, agent: false }),
        run({ ...common, ...options }),
      ]);
      return [
        { says, ...withoutIds(found) },
        { says, ...withoutIds(expected) },
      ];
    });
    for (const [found, expected] of await Promise.all(pairs)) expect(found).toEqual(expected);
  }

  test.each(endings)("%s: is the same with the agent", (ending) =>
    expectSame("endings.js", [ending]),
  );

  test("the endings of worker threads: are the same with the agent", () =>
    expectSame("worker-endings.js"));

  test("an ECMAScript module: is the same with the agent", () => expectSame("module-app.mjs"));
});
