// The agent as an ordinary user, and with a /proc that is read-only, in part or wholly taken away: what is left
// is told, what is missing is said, and the application runs as ever. Needs root to set it up.

import { execFileSync } from "node:child_process";
import { execPath, getuid } from "node:process";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import type { Incident } from "../../agent/model/incident";
import { startRedisServer } from "../support/redis-server";
import { agentEntry } from "../support/run-app";
import { appPath, blockingLine, startWatched, type WatchedApp } from "./support/watched-app";

const script = appPath("block-in-read.js");
/** Most of the stall, also on a machine that lets the process wait for its CPU. */
const heldMs = 800;
const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];

/** In a mount namespace of its own, after the commands, as nobody; `$$` is the process's own number. */
const after = (...commands: readonly string[]): readonly string[] => [
  ...["unshare", "--mount", "sh", "-ec"],
  [...commands, `exec ${nobody.join(" ")} "$@"`].join("\n"),
  "sh",
];
const hide = (file: string): string => `mount --bind /dev/null /proc/$$/${file}`;

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

/** The incident of one stall in a read of a pipe; the application must come out of it as ever. */
async function incidentThrough(through: readonly string[]): Promise<Incident> {
  const one = await startWatched(script, { through });
  watched.push(one);
  one.go.letGo();
  await one.stalledFor(heldMs);
  one.hold.letGo();
  const incident = await one.app.waitForIncident(
    ({ state, durationMs }) => state === "closed" && durationMs > heldMs / 2,
  );
  await one.app.waitForOutput(/waited/);
  return incident;
}

function canRun(through: readonly string[]): boolean {
  const [command = "", ...args] = [...through, execPath, "--check", agentEntry];
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false; // Not root, no such program, or a repository that others cannot read.
  }
}

const asNobody = getuid?.() === 0 && canRun(nobody) ? describe : describe.skip;
const withMounts = getuid?.() === 0 && canRun(after(hide("mem"))) ? describe : describe.skip;

const whole = {
  cause: "sync-core-api",
  culprit: {
    module: "node:fs",
    syscall: "read",
    site: { function: "readOnLoop", line: blockingLine(script) },
  },
};

const missing = (incident: Incident): string =>
  incident.evidence
    .filter(({ kind }) => kind === "missing")
    .map(({ says }) => says)
    .join("\n");

asNobody("as an ordinary user", () => {
  test("a stall is named as it is for root", async () => {
    const incident = await incidentThrough(nobody);
    expect(incident).toMatchObject(whole);
    expect(missing(incident)).toBe("");
  });

  test("a wait in a native addon is named with its peer, and the command that paid with its proof", async () => {
    const server = await startRedisServer();
    const redis = new Redis({ host: server.host, port: server.port });
    try {
      const one = await startWatched(appPath("redis-lock.js"), {
        args: ["sync"],
        through: nobody,
        env: { REDIS_PORT: `${server.port}` },
      });
      watched.push(one);
      one.go.letGo();
      await one.stalledFor(heldMs);
      await redis.rpush("lock", "token");
      const incident = await one.app.waitForIncident(
        ({ state, culprit }) => state === "closed" && culprit?.module === "syncredis.node",
      );
      const peer = { host: "127.0.0.1", port: server.port };
      expect(incident).toMatchObject({ cause: "sync-native-io", culprit: { peer } });
      expect(incident.evidence.map(({ kind }) => kind)).toContain("reply-waiting");
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });
});

withMounts("with a /proc", () => {
  test("that is read-only, a stall is named as ever", async () => {
    expect(await incidentThrough(after("mount -o remount,ro,bind /proc"))).toMatchObject(whole);
  });

  test("without memory, there is no stack and no accusation, and that is said", async () => {
    const incident = await incidentThrough(after(hide("mem")));
    expect(incident).toMatchObject({ cause: "unknown", culprit: null });
    expect(missing(incident)).toMatch(/mem/);
  });

  test("without mappings, there is no stack and no accusation, and that is said", async () => {
    const incident = await incidentThrough(after(hide("maps")));
    expect(incident).toMatchObject({ cause: "unknown", culprit: null });
    expect(missing(incident)).toMatch(/mappings/);
  });

  test("without the thread's system call, the stall is measured, and that is said", async () => {
    const incident = await incidentThrough(after(hide("task/$$/syscall")));
    expect(incident).toMatchObject({ cause: "unknown", culprit: null });
    expect(missing(incident)).toMatch(/syscall/);
  });

  test("without descriptors, the call is named without what it waits on", async () => {
    const incident = await incidentThrough(after("mount -t tmpfs none /proc/$$/fd"));
    expect(incident).toMatchObject({ ...whole, culprit: { ...whole.culprit, target: null } });
  });

  test("that is empty, the stall is measured, and that is said", async () => {
    const incident = await incidentThrough(after("mount -t tmpfs none /proc"));
    expect(incident).toMatchObject({ cause: "unknown", culprit: null });
    expect(missing(incident)).not.toBe("");
  });
});
