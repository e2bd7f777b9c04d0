// What programs need from outside: packages, addons, folders, and helper processes that hold a block and let go.

const { execFile, spawn } = require("node:child_process");
const { once } = require("node:events");
const { mkdtempSync, rmSync } = require("node:fs");
const { createRequire } = require("node:module");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { promisify } = require("node:util");

const helpers = new Set();
const folders = [];

/** Ends the program without a verdict: what it needs is not on this machine. */
function skip(why) {
  throw Object.assign(new Error(why), { code: "ACCURACY_SKIP" });
}

/** Whatever `load` gives; skips the program where it fails. */
function orSkip(what, load) {
  try {
    return load();
  } catch (error) {
    return skip(`${what}: ${String(error.message).split("\n")[0]}`);
  }
}

function environment(name) {
  return process.env[name] || skip(`${name} is not set: run this by \`npm run accuracy\``);
}

const tools = {
  skip,
  /** A package of bench/accuracy/package.json. */
  load: (name) =>
    orSkip(name, () => createRequire(join(environment("ACCURACY_PACKAGES"), "x.js"))(name)),
  /** Where a package of bench/accuracy/package.json is found by `import`. */
  packages: () => environment("ACCURACY_PACKAGES"),
  /** An addon of bench/accuracy/native. */
  addon: (name) =>
    orSkip(name, () => require(join(environment("ACCURACY_ADDONS"), `${name}.node`))),
  /** The path of a shared library of bench/accuracy/native. */
  library: (name) => join(environment("ACCURACY_ADDONS"), `${name}.so`),
  /** The example's synchronous Redis client. */
  syncredis: () => orSkip("syncredis", () => require(environment("ACCURACY_SYNCREDIS"))),
  /** A private redis-server that the runner keeps. */
  redis: () => ({
    host: "127.0.0.1",
    port: Number(environment("ACCURACY_REDIS_PORT")),
    pid: Number(environment("ACCURACY_REDIS_PID")),
  }),
  /** Text that compresses as prose does: this many words out of ten thousand, the same at each call. */
  words(count) {
    let state = 1;
    const next = () => {
      state = (state * 48_271) % 2_147_483_647;
      return (state % 10_007).toString(36);
    };
    return Buffer.from(Array.from({ length: count }, next).join(" "));
  },
  /** A folder of its own, gone afterwards. */
  folder() {
    const path = mkdtempSync(join(tmpdir(), "accuracy-"));
    folders.push(path);
    return path;
  },
  /** A new named pipe. */
  async fifo() {
    const path = join(tools.folder(), "fifo");
    await promisify(execFile)("mkfifo", [path]);
    return path;
  },
  /** Starts a shell command that does its work when `lengthMs` of the block are over. */
  async later(lengthMs, command, ...args) {
    const script = `echo; sleep ${(lengthMs + 12) / 1000}; ${command}`;
    const child = helper("sh", ["-c", script, "sh", ...args]);
    await once(child.stdout, "data");
  },
  /** A process with a server on TCP, UDP and a Unix socket; support/peer.cjs says how it answers. */
  async peer() {
    const child = helper(process.execPath, [join(__dirname, "peer.cjs"), tools.folder()]);
    const [line] = await once(child.stdout, "data");
    return JSON.parse(String(line));
  },
  /** Another process takes a lock on this file, "flock" or "record", and keeps it for as long as this. */
  async lock(path, kind, lengthMs) {
    const addon = join(environment("ACCURACY_ADDONS"), "waits.node");
    const code = `
      require(${JSON.stringify(addon)}).keepLock(${JSON.stringify(path)}, ${kind === "record"});
      process.stdout.write("held");
      setTimeout(() => process.exit(), ${lengthMs});`;
    await once(helper(process.execPath, ["-e", code]).stdout, "data");
  },
  helper,
};

/** A child without any agent, ended with us; the caller's loop is not kept alive by it. */
function helper(command, args, options = {}) {
  const env = { ...process.env, NODE_OPTIONS: "" };
  const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "inherit"], ...options });
  helpers.add(child);
  child.once("exit", () => helpers.delete(child));
  return child;
}

function endHelpers() {
  for (const child of helpers) child.kill("SIGKILL");
  for (const path of folders) rmSync(path, { recursive: true, force: true });
}

module.exports = { tools, endHelpers };
