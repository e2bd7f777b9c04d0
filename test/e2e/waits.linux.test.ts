// What a wait in an addon is on: each way to wait at once, in a process of its own, until its incident has
// been written in the middle of the stall.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Incident } from "../../agent/model/incident";
import { compileAddon } from "../support/compile-addon";
import { appPath, blockingLine, startWatched, type WatchedApp } from "./support/watched-app";

const script = appPath("waits.js");
const folder = mkdtempSync(join(tmpdir(), "loophound-waits-"));
const lockFile = join(folder, "job.lock");
const fifo = join(folder, "nobody");
const watched: WatchedApp[] = [];
const incidents = new Map<string, Incident>();

let tcp: Server;
let udp: Socket;
let holder: ChildProcess;
let tcpPort = 0;
let udpPort = 0;

beforeAll(async () => {
  writeFileSync(lockFile, "");
  execFileSync("mkfifo", [fifo]);
  const addon = compileAddon("waits.c", "waits");
  // It says when it has the locks, and keeps them until it is killed.
  const hold = `require(${JSON.stringify(addon)}).holdLocks(${JSON.stringify(lockFile)});console.log("held");process.stdin.resume()`;
  holder = spawn(execPath, ["-e", hold], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise((resolve) => holder.stdout?.once("data", resolve));
  tcp = createServer(() => undefined);
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  tcpPort = (tcp.address() as AddressInfo).port;
  udp = createSocket("udp4");
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  udpPort = udp.address().port;
  await Promise.all(ways().map(([way, on]) => holdOn(addon, way, on)));
}, 120_000);

afterAll(async () => {
  for (const one of watched) await one.stop();
  holder.kill("SIGKILL");
  udp.close();
  tcp.close();
  rmSync(folder, { recursive: true, force: true });
});

async function holdOn(addon: string, way: string, on: string): Promise<void> {
  const one = await startWatched(script, {
    env: { WAITS_ADDON: addon, WAITS_WAY: way, WAITS_ON: on },
  });
  watched.push(one);
  one.go.letGo();
  const isTheWait = ({ state, culprit }: Incident) => state === "open" && culprit !== null;
  incidents.set(way, await one.app.waitForIncident(isTheWait, 60_000));
}

const ways = (): [way: string, on: string][] => [
  ["poll-one", ""],
  ["poll-two", `${tcpPort}`],
  ["select", `${udpPort}`],
  ["epoll", `${tcpPort}`],
  ["datagram", `${udpPort}`],
  ["child", ""],
  ["mutex", ""],
  ["flock", lockFile],
  ["fcntl", lockFile],
  ["sleep", ""],
  ["open", fifo],
];

const local = (port: number) => ({ host: "127.0.0.1", port });
/** proc_pid_comm(5): node names its main thread by itself since Node 24. */
const heldBy = () =>
  expect.stringMatching(
    new RegExp(`^the lock on ${lockFile}, held by process ${holder.pid} \\((node|MainThread)\\)$`),
  );

test.each<[way: string, calls: readonly string[], expected: () => object]>([
  ["poll-one", ["poll", "ppoll"], () => ({ target: "a pipe", peer: null })],
  ["poll-two", ["poll", "ppoll"], () => ({ peer: local(tcpPort) })],
  [
    "select",
    ["select", "pselect6"],
    () => ({ peer: local(udpPort), target: `UDP 127.0.0.1:${udpPort}` }),
  ],
  ["epoll", ["epoll_wait", "epoll_pwait"], () => ({ peer: local(tcpPort) })],
  ["datagram", ["recvfrom"], () => ({ peer: local(udpPort), target: `UDP 127.0.0.1:${udpPort}` })],
  [
    "child",
    ["wait4"],
    () => ({ target: expect.stringMatching(/^the end of process \d+ \(\w+\)$/) }),
  ],
  ["mutex", ["futex"], () => ({ target: "a lock or condition in memory (futex)" })],
  ["flock", ["flock"], () => ({ target: heldBy() })],
  ["fcntl", ["fcntl"], () => ({ target: heldBy() })],
  ["sleep", ["nanosleep", "clock_nanosleep"], () => ({ target: "a sleep of 600.5 s" })],
  ["open", ["open", "openat"], () => ({ target: fifo })],
])("a wait in %s says what it waits on", (way, calls, expected) => {
  const { cause, culprit } = incidents.get(way) ?? {};
  expect({ cause, ...culprit }).toMatchObject({
    cause: "sync-native-io",
    module: "waits.node",
    site: { function: "holdOn", line: blockingLine(script) },
    ...expected(),
  });
  expect(calls).toContain(culprit?.syscall);
});
