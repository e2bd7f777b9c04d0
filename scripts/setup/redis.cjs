// A redis-server program: only to start private servers with. Running ones are never looked at.

const { existsSync, lstatSync, realpathSync, rmSync, symlinkSync } = require("node:fs");
const { capture, findProgram, isProgram } = require("./commands.cjs");
const { inState } = require("./paths.cjs");
const { SetupError } = require("./setup-error.cjs");

const commonFolders = [
  "/usr/local/bin",
  "/usr/bin",
  "/usr/sbin",
  "/opt/homebrew/bin",
  "/usr/local/opt/redis/bin",
  "/opt/redis/bin",
  "/snap/bin",
];

// Valkey is the same server under another name. Debian and Ubuntu keep the server's program in redis-tools,
// as redis-check-rdb, which is what their /usr/bin/redis-server points to: called redis-server, it is one.
const programNames = ["redis-server", "valkey-server", "redis-check-rdb"];

/**
 * Makes .loophound/bin/redis-server point to a server program, where test/support/redis-server.ts looks.
 * Resolves with whether there is one. Rejects when REDIS_SERVER_PATH names something else.
 */
async function linkRedisServer() {
  const named = process.env.REDIS_SERVER_PATH ?? "";
  if (named !== "") return checkNamed(named);
  const link = inState("bin", "redis-server");
  if (existsSync(link)) return true;
  for (const name of programNames) {
    const program = findProgram(name, commonFolders);
    if (program === null) continue;
    if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
    symlinkSync(name === "redis-check-rdb" ? realpathSync(program) : program, link);
    if (await isServer(link)) return true;
    rmSync(link);
  }
  return false;
}

async function checkNamed(path) {
  if (isProgram(path) && (await isServer(path))) return true;
  throw new SetupError(
    `REDIS_SERVER_PATH=${path} is not a redis-server program`,
    "name one that answers to --version, or unset it",
  );
}

async function isServer(path) {
  const { status, output } = await capture(path, ["--version"]);
  return status === 0 && /server v=\d/i.test(output);
}

module.exports = { linkRedisServer };
