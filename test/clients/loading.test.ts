// Every way in which an application and its clients can be loaded, each with a real client, a real server and
// the whole agent: what docs/loading.md says is covered. What is recorded of each client is tested elsewhere.

import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { build } from "esbuild";
import webpack from "webpack";
import { ask, eventually, metricSum } from "../e2e/support/page";
import { freePort } from "../support/free-port";
import { findNodeVersions } from "../support/node-versions";
import { type RabbitServer, startRabbitServer } from "../support/rabbitmq-server";
import { type RedisServer, startRedisServer } from "../support/redis-server";
import { type AppOptions, agentEntry, type RunningApp, runApp } from "../support/run-app";

/** This file runs as dist/test/clients/loading.test.js. */
const repository = join(__dirname, "../../..");
const sources = join(repository, "test/fixtures/loading");
const nodes = findNodeVersions();
const ioredisVersions = ["ioredis", "ioredis5", "ioredis4", "iovalkey"];

let redis: RedisServer;
let folder: string;
const apps: RunningApp[] = [];
beforeAll(async () => {
  redis = await startRedisServer();
  // Inside the repository: what runs there finds its node_modules.
  mkdirSync(join(repository, ".loophound"), { recursive: true });
  folder = mkdtempSync(join(repository, ".loophound/loading-"));
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.stop();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: AppOptions): Promise<{ app: RunningApp; port: number }> {
  const port = await freePort();
  const env = {
    REDIS_PORT: `${redis.port}`,
    LOOPHOUND_PORT: `${port}`,
    LOOPHOUND_START_DELAY_MS: "0",
    ...options.env,
  };
  const app = runApp({ ...options, env });
  apps.push(app);
  return { app, port };
}

/** How often that command of that client was answered, once it was. */
async function answered(port: number, client: string, command: string): Promise<number> {
  const look = async (): Promise<number | null> => {
    const { body } = await ask(port, "/metrics");
    const label = `client="${client}",command="${command}"`;
    return metricSum(body, "loophound_command_duration_seconds_count", label) || null;
  };
  return eventually(look, `${command} of ${client} in the metrics`);
}

/** The application of redis-app.cjs: all that it sends is recorded once, under its name. */
async function expectRecorded(options: AppOptions, client = "ioredis"): Promise<void> {
  const { app, port } = await start(options);
  await app.waitForOutput(/^done$/m);
  await answered(port, client, "EXISTS");
  const counts = [];
  for (const command of ["SET", "GET", "HGETALL", "TTL", "BLPOP"]) {
    counts.push([command, await answered(port, client, command)]);
  }
  expect(counts).toEqual([
    ["SET", 1],
    ["GET", 2],
    ["HGETALL", 1],
    ["TTL", 1],
    ["BLPOP", 1],
  ]);
  expect(app.stdout()).toContain("WRONGTYPE");
  expect(app.stderr()).not.toContain("internal error");
}

const source = (name: string): string => join(sources, name);
const imported = ["--import", pathToFileURL(agentEntry).href];

describe.each(nodes)("Node $version", ({ binary, major }) => {
  test.each(["redis-app.cjs", "redis-app.mjs"])("%s under --require", async (name) => {
    await expectRecorded({ script: source(name), nodeBinary: binary });
  });

  test.each(["redis-app.cjs", "redis-app.mjs"])("%s under --import", async (name) => {
    const preload = { agent: false, nodeArgs: imported };
    await expectRecorded({ script: source(name), nodeBinary: binary, ...preload });
  });

  test("NODE_OPTIONS", async () => {
    const env = { NODE_OPTIONS: `--require ${agentEntry}` };
    await expectRecorded({
      script: source("redis-app.mjs"),
      nodeBinary: binary,
      agent: false,
      env,
    });
  });

  // Without a flag from 22.18 on: https://nodejs.org/api/typescript.html#type-stripping
  (major >= 22 ? test : test.skip)("TypeScript that Node strips the types of", async () => {
    const script = join(folder, `types-${major}.mts`);
    writeFileSync(
      script,
      `import { Redis } from "ioredis";
import { run } from ${JSON.stringify(source("redis-traffic.cjs"))};
const port: number = Number(process.env["REDIS_PORT"]);
await run(Redis, port);`,
    );
    await expectRecorded({ script, nodeBinary: binary });
  });
});

/** One file with everything in it, and names as short as they go. */
async function esbuilt(
  library: string,
  format: "cjs" | "esm",
  name = "redis-app",
): Promise<string> {
  const ending = format === "cjs" ? "cjs" : "mjs";
  const outfile = join(folder, `esbuild-${name}-${library}.${ending}`);
  await build({
    entryPoints: [source(`${name}.${ending}`)],
    alias: library === "ioredis" ? {} : { ioredis: library },
    outfile,
    format,
    bundle: true,
    minify: true,
    platform: "node",
    // What a bundle of CommonJS packages needs as an ECMAScript module.
    banner:
      format === "cjs"
        ? {}
        : {
            js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
          },
  });
  return outfile;
}

function webpacked(library: string): Promise<string> {
  const filename = `webpack-${library}.cjs`;
  return new Promise((resolve, reject) => {
    webpack(
      {
        mode: "production",
        target: "node",
        entry: source("redis-app.cjs"),
        resolve: { alias: library === "ioredis" ? {} : { ioredis$: library } },
        output: { path: folder, filename },
      },
      (error, stats) => {
        const failed =
          stats?.hasErrors() === true ? new Error(stats.toString("errors-only")) : error;
        if (failed) reject(failed);
        else resolve(join(folder, filename));
      },
    );
  });
}

describe("a bundle, minified", () => {
  test.each(ioredisVersions)("%s by esbuild, CommonJS", async (library) => {
    await expectRecorded({ script: await esbuilt(library, "cjs") });
  });

  test("ioredis by esbuild, as an ECMAScript module under --import", async () => {
    const script = await esbuilt("ioredis", "esm");
    await expectRecorded({ script, agent: false, nodeArgs: imported });
  });

  test.each(ioredisVersions)("%s by webpack", async (library) => {
    await expectRecorded({ script: await webpacked(library) });
  });

  test.each(ioredisVersions)("%s prints the same with the agent as without", async (library) => {
    const script = await esbuilt(library, "cjs", "redis-endings");
    const outputs = [];
    for (const agent of [false, true]) {
      const { app } = await start({ script, agent, env: { LOOPHOUND_STDERR: "off" } });
      const { code } = await app.exited;
      outputs.push({ code, stdout: app.stdout(), stderr: app.stderr() });
    }
    const [plain, hooked] = outputs;
    expect(plain?.stdout).toContain("WRONGTYPE");
    expect(plain?.stdout).toContain("Connection is closed");
    expect(plain?.code).toBe(1);
    expect(hooked).toEqual(plain);
  });

  describe("of amqplib", () => {
    let rabbit: RabbitServer;
    beforeAll(async () => {
      rabbit = await startRabbitServer();
    });
    afterAll(() => rabbit.stop());

    test.each(["amqplib2", "amqplib1", "amqplib010"])("%s by esbuild", async (library) => {
      const outfile = join(folder, `esbuild-${library}.cjs`);
      await build({
        entryPoints: [source("amqp-app.cjs")],
        alias: { amqplib: library },
        outfile,
        bundle: true,
        minify: true,
        platform: "node",
      });
      const { app, port } = await start({ script: outfile, env: { AMQP_PORT: `${rabbit.port}` } });
      await app.waitForOutput(/^done$/m);
      expect(await answered(port, "amqplib", "queue.declare-passive")).toBe(1);
      expect(await answered(port, "amqplib", "basic.publish")).toBe(1);
    });
  });
});

test("a client handed over by hand is recorded from then on, and nothing twice", async () => {
  const { app, port } = await start({
    script: source("by-hand.cjs"),
    agent: false,
    args: [join(repository, "dist/agent/index.js")],
  });
  await app.waitForOutput(/^done$/m);
  expect(app.stdout()).toContain("instrumented: true true false false");
  await answered(port, "ioredis", "EXISTS");
  expect(await answered(port, "ioredis", "GET")).toBe(1);
  expect(await answered(port, "ioredis", "EXPIRE")).toBe(1);
});

/** As pnpm lays packages out: the package's real folder elsewhere, and a link where it is looked for. */
test("packages behind links, as pnpm lays them out", async () => {
  const root = join(folder, "pnpm");
  const store = join(root, "node_modules/.pnpm/ioredis@6.0.0/node_modules");
  mkdirSync(store, { recursive: true });
  cpSync(join(repository, "node_modules/ioredis"), join(store, "ioredis"), { recursive: true });
  symlinkSync(join(store, "ioredis"), join(root, "node_modules/ioredis"));
  for (const name of ["redis-app.cjs", "redis-traffic.cjs"]) cpSync(source(name), join(root, name));
  await expectRecorded({ script: join(root, "redis-app.cjs") });
});

/** Each package as Yarn packs it: an archive in the cache, made of the folder in our node_modules. */
function layOutForYarn(root: string): void {
  const found = new Map<string, string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    const path = join(repository, "node_modules", name);
    found.set(name, `file:${path}`);
    const manifest = readFileSync(join(path, "package.json"), "utf8");
    const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: object };
    for (const dependency of Object.keys(dependencies)) add(dependency);
  };
  add("ioredis");
  const settings = [
    "nodeLinker: pnp",
    "enableNetwork: false",
    "enableGlobalCache: false",
    // In a pipeline, Yarn refuses by itself to write the lockfile that this begins without.
    "enableImmutableInstalls: false",
  ];
  mkdirSync(root);
  writeFileSync(join(root, "yarn.lock"), "");
  writeFileSync(join(root, ".yarnrc.yml"), [...settings, "enableTelemetry: false", ""].join("\n"));
  writeFileSync(
    join(root, "package.json"),
    JSON.stringify({
      name: "app",
      private: true,
      dependencies: { ioredis: found.get("ioredis") },
      resolutions: Object.fromEntries(found),
    }),
  );
  for (const name of ["redis-app.cjs", "redis-traffic.cjs"]) cpSync(source(name), join(root, name));
}

test("packages in archives, as Yarn's Plug'n'Play lays them out", async () => {
  const root = join(folder, "yarn");
  layOutForYarn(root);
  const yarn = join(repository, "node_modules/@yarnpkg/cli-dist/bin/yarn.js");
  execFileSync(process.execPath, [yarn, "install"], { cwd: root, stdio: "pipe" });
  const script = join(root, "redis-app.cjs");
  const pnp = ["--require", join(root, ".pnp.cjs")];
  await expectRecorded({ script, nodeArgs: pnp });
  const nodeArgs = [...pnp, "--require", agentEntry];
  await expectRecorded({ script, agent: false, nodeArgs });
});

test("Jest, which has a module registry of its own", async () => {
  const port = await freePort();
  const jest = join(repository, "node_modules/jest/bin/jest.js");
  const config = {
    rootDir: sources,
    testRegex: basename("redis.jest.cjs"),
    transform: {},
    haste: {},
  };
  const { app } = await start({
    script: jest,
    args: ["--runInBand", "--no-cache", "--config", JSON.stringify(config)],
    cwd: sources,
    env: { LOOPHOUND_PORT: `${port}` },
  });
  const { code } = await app.exited;
  expect(`${code}\n${app.stdout()}${app.stderr()}`).toMatch(/^0\n/);
});
