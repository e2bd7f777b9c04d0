// What goes wrong between a client and its server: stopped, killed, restarted, a reply that breaks off. The
// application sees the same with our hooks as without, and no record stays open. Real processes.

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { packages } from "../support/hooked-client";
import { ioredisLibraries } from "../support/hooked-ioredis";
import { nodeRedisLibraries } from "../support/hooked-node-redis";
import { runScript, type ScriptRun } from "../support/hooked-script";
import { findNodeVersions } from "../support/node-versions";
import { startRedisServer } from "../support/redis-server";

interface Subject {
  readonly library: string;
  readonly version: string;
  readonly binary: string;
}

/** On the oldest Node and the newest: the hooks reach into its streams, which change over the years. */
const versions = findNodeVersions();
const bothEnds = versions.length > 1 ? [versions[0], versions.at(-1)] : versions;
const subjectsOf = (libraries: readonly string[]): readonly Subject[] =>
  bothEnds.flatMap((node) =>
    node === undefined
      ? []
      : libraries.map((library) => ({ library, version: node.version, binary: node.binary })),
  );

/** With a server of its own, for it does not survive. */
async function run(subject: Subject, text: string, isHooked: boolean): Promise<ScriptRun> {
  const { library, binary } = subject;
  const server = await startRedisServer();
  try {
    const args = [join(packages, library), `${server.port}`, `${server.pid}`];
    const result = await runScript({ text, args, isHooked, nodeBinary: binary });
    return { ...result, output: result.output.replaceAll(`:${server.port}`, ":PORT") };
  } finally {
    await server.stop();
  }
}

async function expectSame(subject: Subject, text: string): Promise<ScriptRun> {
  const plain = await run(subject, text, false);
  const hooked = await run(subject, text, true);
  expect(hooked.hook).toMatch(/^hook loaded [1-9]\d* 0 /);
  expect({ ...hooked, hook: null }).toEqual(plain);
  return plain;
}

const happened = [
  /^while stopped .*pending/m,
  /^continued value/m,
  // Version 4 of node-redis does not forget how much of the broken one is missing.
  /^after the broken reply (whole|5)/m,
  /^killed /m,
  /^unhandled /m,
  /^gone /m,
];

const says = "$library on Node $version: faults look the same, and leave no record open";

test.each(subjectsOf(ioredisLibraries))(says, async (subject) => {
  const { output } = await expectSame(subject, `${common}${onIoredis}${story}`);
  for (const words of [...happened, /^restarted value/m]) expect(output).toMatch(words);
});

test.each(subjectsOf(nodeRedisLibraries))(says, async (subject) => {
  const { output } = await expectSame(subject, `${common}${onNodeRedis}${story}`);
  for (const words of [...happened, /^broken reply Error: Socket closed/m]) {
    expect(output).toMatch(words);
  }
});

const common = `
Error.stackTraceLimit = 100;
const { createServer } = require("node:net");
const [, , library, port, pid] = process.argv;
const loaded = require(library);
const text = (error) => String(error) + "\\n" + error.stack;
const show = (what, promise) => promise.then(
  (value) => console.log(what, value),
  (error) => console.log(what, text(error)),
);
const turn = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
process.on("unhandledRejection", (error) => console.log("unhandled", text(error)));
/** Breaks off its first reply to a GET, and answers the later ones. */
function brokenServer() {
  let gets = 0;
  return createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      for (const [, name] of chunk.toString().matchAll(/\\*\\d+\\r\\n\\$\\d+\\r\\n(\\w+)/g)) {
        const command = name.toUpperCase();
        if (command === "INFO") socket.write("$9\\r\\nloading:0\\r\\n");
        else if (command === "HELLO") socket.write("+OK\\r\\n");
        else if (command !== "GET") socket.write("+OK\\r\\n");
        else if (gets++ > 0) socket.write("$5\\r\\nwhole\\r\\n");
        else socket.end("$5\\r\\nwho");
      }
    });
  });
}`;

const onIoredis = `
const Redis = loaded.default ?? loaded;
function connect(port, isLast) {
  const client = new Redis({
    port,
    protocol: 2,
    retryStrategy: isLast ? () => null : () => 5,
    maxRetriesPerRequest: null,
  });
  client.on("error", (error) => console.log("error event", text(error)));
  return new Promise((resolve) => client.once("ready", () => resolve(client)));
}
const end = (client) => client.disconnect();
const blpop = (client) => client.blpop("never", 0);
/** The command in flight is sent once more on the new connection. */
async function restarted(client) {
  const id = await client.client("ID");
  const killer = await connect(port);
  const inFlight = client.blpop("list", 0);
  await turn(20);
  await killer.client("KILL", "ID", id);
  await turn(50);
  await killer.rpush("list", "value");
  console.log("restarted", (await inFlight)[1]);
  end(killer);
}`;

const onNodeRedis = `
async function connect(port, isLast) {
  const socket = { host: "127.0.0.1", port, reconnectStrategy: isLast ? false : () => 5 };
  const client = loaded.createClient({ socket, RESP: 2 });
  client.on("error", (error) => console.log("error event", text(error)));
  await client.connect();
  return client;
}
const end = (client) => (client.destroy ? client.destroy() : client.disconnect());
const blpop = (client) => client.blPop("never", 0);
const restarted = () => {};`;

const story = `
(async () => {
  const client = await connect(port);
  await client.set("text", "value");
  process.kill(pid, "SIGSTOP");
  const waiting = client.get("text");
  console.log("while stopped", await Promise.race([waiting, turn(60).then(() => "pending")]));
  process.kill(pid, "SIGCONT");
  await show("continued", waiting);
  await restarted(client);

  const broken = brokenServer();
  await new Promise((resolve) => broken.listen(0, "127.0.0.1", resolve));
  const reader = await connect(broken.address().port);
  await show("broken reply", reader.get("text"));
  await turn(50);
  await show("after the broken reply", reader.get("text"));
  await end(reader);
  broken.close();

  await end(client);
  const last = await connect(port, true);
  const inFlight = [show("killed", blpop(last)), show("behind", last.get("text"))];
  last.get("text");
  await turn(20);
  process.kill(pid, "SIGKILL");
  await Promise.all(inFlight);
  await turn(20);
  await show("gone", last.get("text"));
  process.exit(0);
})();`;
