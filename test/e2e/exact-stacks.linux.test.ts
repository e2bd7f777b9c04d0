// The stack of a thread that waits in libhiredis, on every Node version and in code of every compiler, held
// against two other opinions: the C library's unwinder on the native frames, and V8's own on JavaScript's.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import type { Culprit, Incident } from "../../agent/model/incident";
import { compileAddon } from "../support/compile-addon";
import { findNodeVersions, type NodeVersion } from "../support/node-versions";
import { type RedisServer, startRedisServer } from "../support/redis-server";
import {
  type NamedPlace,
  type SaidFrame,
  saidPlaces,
  withoutUnreadClass,
} from "../support/v8-words";
import { eventually } from "./support/page";
import { appPath, blockingLine, startWatched, type WatchedApp } from "./support/watched-app";

const script = appPath("hot-redis.js");
const oracle = compileAddon("backtrace.c", "backtrace");
const oracleFile = join(oracle, "../frames");

/** Most of the stall, also on a machine that lets the process wait for its CPU. */
const heldMs = 800;

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedisServer();
  redis = new Redis({ host: server.host, port: server.port });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

interface Waited {
  readonly incident: Incident;
  readonly culprit: Culprit;
  readonly said: readonly SaidFrame[];
  readonly heard: readonly NativeFrame[];
}

/** Loading and compiling may stall the start, before the wait that is meant. */
const isTheWait = ({ state, culprit }: Incident): boolean =>
  state === "closed" && culprit?.module === "syncredis.node";

async function waitInRedis(
  { binary }: NodeVersion,
  flags: readonly string[],
  compiler = "",
): Promise<Waited> {
  const one = await startWatched(script, {
    args: [compiler],
    nodeBinary: binary,
    nodeArgs: flags,
    env: { REDIS_PORT: `${server.port}`, LD_PRELOAD: oracle, BACKTRACE_FILE: oracleFile },
  });
  watched.push(one);
  one.go.letGo();
  // On a busy machine another stall may come before it.
  await eventually(async () => (isWaiting(await redis.client("LIST")) ? true : null), "a BLPOP");
  await one.stalledFor(heldMs);
  // While it lasts: every later read of the thread is written down as well.
  const heard = oracleFrames();
  await redis.rpush("lock", "token");
  const incident = await one.app.waitForIncident(isTheWait);
  const [json] = await one.app.waitForOutput(/^\[.*\]$/m);
  if (incident.culprit === null) throw new Error(JSON.stringify(incident));
  return { incident, culprit: incident.culprit, said: JSON.parse(json), heard };
}

/** client-list: flag b is a client that waits in a blocking command. */
const isWaiting = (clients: unknown): boolean => /flags=\w*b.*cmd=blpop/.test(String(clients));

interface NativeFrame {
  readonly module: string;
  /** Null where the other side cannot know: static functions, and C++, which it does not demangle. */
  readonly symbol: string | null;
}

/** From the caller of the oracle's own function outwards; it may end one frame too late, in JavaScript. */
function oracleFrames(): NativeFrame[] {
  const frames = readFileSync(oracleFile, "utf8").split("\n").slice(0, -1);
  const named = frames.map((line) => {
    const [module = "", symbol = ""] = line.split("\t");
    return { module: basename(module), symbol: /^($|_Z|Builtins_)/.test(symbol) ? null : symbol };
  });
  const first = named.findLastIndex(({ module }) => module === basename(oracle)) + 1;
  return named.slice(first);
}

function ownFrames({ nativeStack }: Culprit): NativeFrame[] {
  const frames = nativeStack.map((line) => {
    const [, symbol = null, module = ""] = /^(.*) \(([^()]*)\)$/.exec(line) ?? [];
    return { module, symbol };
  });
  return frames.slice(frames.findLastIndex(({ module }) => module === basename(oracle)) + 1);
}

function expectNativeFrames(culprit: Culprit, heard: readonly NativeFrame[]): void {
  const own = ownFrames(culprit);
  const isOneLonger = heard.length === own.length + 1 && heard.at(-1)?.symbol === null;
  const other = isOneLonger ? heard.slice(0, -1) : heard;
  // What JavaScript calls: V8's builtin on Node 20, Node-API's own function since.
  expect(own.at(-1)?.symbol).toMatch(/Builtin_HandleApiCall|FunctionCallbackWrapper::Invoke/);
  const comparable = own.map((frame, index) =>
    other[index]?.symbol === null ? { ...frame, symbol: null } : frame,
  );
  expect(comparable).toEqual(other);
  const names = own.map(({ symbol }) => symbol);
  expect(names.indexOf("redisCommand")).toBeGreaterThan(names.indexOf("redisBufferRead"));
  expect(names[names.indexOf("redisCommand") + 1]).toBe("blpop");
  expect(culprit.nativeStack.filter((line) => line.startsWith("? "))).toEqual([]);
}

const parseLine = (line: string): NamedPlace => {
  const [, name = "", place = ""] = /^(.*?) \((.*)\)$/.exec(line) ?? [];
  return { name: name === "(anonymous)" ? null : name, place };
};

function expectJsFrames({ jsStack }: Culprit, said: readonly SaidFrame[]): void {
  const read = jsStack.map(parseLine);
  const places = withoutUnreadClass(saidPlaces(said), read);
  // V8 was asked one line above the call; there, the line alone is known.
  expect(read[0]?.place).toContain(`${script}:${blockingLine(script)}:`);
  expect(read[0]?.name).toBe(places[0]?.name);
  expect(read.slice(1)).toEqual(places.slice(1));
}

const firstWithMaglev = 24;

describe.each(findNodeVersions())("on Node $version", (node) => {
  test.each([
    ["interpreted code", ["--no-opt", "--no-maglev", "--no-sparkplug"], ""],
    ["baseline code", ["--always-sparkplug", "--no-opt", "--no-maglev"], ""],
    ...(node.major < firstWithMaglev
      ? []
      : [["code of Maglev", ["--allow-natives-syntax"], "OptimizeMaglevOnNextCall"] as const]),
    ["code of TurboFan", ["--allow-natives-syntax"], "OptimizeFunctionOnNextCall"],
  ] as const)(
    "a wait in libhiredis lists exactly the live frames, from %s",
    async (_, flags, how) => {
      const { incident, culprit, said, heard } = await waitInRedis(node, flags, how);
      expect(incident).toMatchObject({
        cause: "sync-native-io",
        culprit: {
          module: "syncredis.node",
          peer: { host: "127.0.0.1", port: server.port },
          site: { function: "take", line: blockingLine(script) },
        },
      });
      expectNativeFrames(culprit, heard);
      expectJsFrames(culprit, said);
    },
  );
});
