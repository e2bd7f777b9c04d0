// Each way to block, held until the agent has seen it, and its innocent twin, held as long.

import { afterEach, describe, expect, test } from "@jest/globals";
import { findNodeVersions } from "../support/node-versions";
import { askHealth } from "./support/page";
import {
  appPath,
  blamingTheApp,
  blockingLine,
  startWatched,
  type WatchedApp,
} from "./support/watched-app";

const cases = [
  {
    script: "block-in-read.js",
    says: "a read of a pipe with fs.readSync",
    cause: "sync-core-api",
    culprit: { module: "node:fs", symbol: "fs.readSync", syscall: "read" },
    caller: "readOnLoop",
  },
  {
    script: "block-in-exec.js",
    says: "a child process run with execSync",
    cause: "sync-core-api",
    culprit: {
      module: "node:child_process",
      symbol: "child_process.execSync",
      syscall: "epoll_pwait",
    },
    caller: "runOnLoop",
  },
  {
    script: "block-in-atomics.js",
    says: "a wait for another thread with Atomics.wait",
    cause: "sync-core-api",
    culprit: { symbol: "Atomics.wait", syscall: "futex" },
    caller: "waitOnLoop",
  },
  {
    script: "block-in-ffi.js",
    says: "a read of a pipe by FFI, on a stack of koffi's own",
    cause: "sync-native-io",
    culprit: { module: "koffi.node", syscall: "read" },
    caller: "readByFfi",
  },
] as const;

/** Looks at /healthz while the twin waits: far more than a stall needs to be seen. */
const looks = 15;

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

async function start(...args: Parameters<typeof startWatched>): Promise<WatchedApp> {
  const one = await startWatched(...args);
  watched.push(one);
  return one;
}

describe.each(findNodeVersions())("on Node $version", ({ binary }) => {
  describe.each(cases)("$says", ({ script, cause, culprit, caller }) => {
    test("is named with its API, its system call and its line", async () => {
      const path = appPath(script);
      const one = await start(path, { nodeBinary: binary });
      await one.stall();
      const incident = await one.app.waitForIncident(({ state }) => state === "closed");
      expect(incident).toMatchObject({
        cause,
        pid: one.app.pid,
        threadId: 0,
        repeats: 1,
        culprit: {
          ...culprit,
          peer: null,
          site: { function: caller, file: path, line: blockingLine(path) },
        },
      });
      expect(incident.stalls).toEqual([incident.stall]);
      expect(await one.metric("loophound_incidents_total", `cause="${cause}"`)).toBe(1);
    });

    test("is nobody's fault when it is awaited", async () => {
      const one = await start(appPath(script), { nodeBinary: binary, args: ["async"] });
      one.go.letGo();
      await one.app.waitForOutput(/waiting/);
      for (let look = 0; look < looks; look += 1) await askHealth(one.port);
      one.hold.letGo();
      await one.app.waitForOutput(/waited/);
      expect(blamingTheApp(one.app.incidents())).toEqual([]);
    });
  });
});
