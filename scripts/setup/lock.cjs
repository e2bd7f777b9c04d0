// One set-up at a time in one clone: `npm test` and `npm run demo` can be started side by side.
// The lock is a file that holds the process id of its owner, and dies with it.

const { linkSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const { inState } = require("./paths.cjs");
const { SetupError } = require("./setup-error.cjs");
const { say } = require("./progress.cjs");

const retryEveryMs = 200;
/** Longer than any set-up on a slow line; a lock held longer belongs to a process that hangs. */
const waitMaxMs = 20 * 60_000;

/** Runs `work` while this process holds the lock; waits, and says so, while another one holds it. */
async function withLock(work, path = inState("setup.lock")) {
  await acquire(path);
  const release = () => rmSync(path, { force: true });
  const leave = (signal) => {
    release();
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.once("SIGINT", leave);
  process.once("SIGTERM", leave);
  try {
    return await work();
  } finally {
    process.off("SIGINT", leave);
    process.off("SIGTERM", leave);
    release();
  }
}

async function acquire(path) {
  const deadlineMs = performance.now() + waitMaxMs;
  let told = false;
  while (!tryCreate(path)) {
    const owner = readOwner(path);
    if (owner !== null && !isAlive(owner)) {
      removeStale(path, owner);
      continue;
    }
    if (!told) say(`waiting for another set-up here (process ${owner ?? "unknown"})`);
    told = true;
    if (performance.now() > deadlineMs) {
      throw new SetupError(
        `process ${owner} holds ${path}`,
        "end that process, or delete the file",
      );
    }
    await sleep(retryEveryMs);
  }
}

/** Creates the lock with its content in one step, so that nobody ever reads it half written. */
function tryCreate(path) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readOwner(path) {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if (error.code === "ENOENT") return null; // Released this moment: the next attempt gets it.
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/**
 * Takes away the lock of a dead owner. Two processes may come to this at once, and the slower one would
 * take away the quicker one's new lock: so it looks at what it took, and gives that back.
 */
function removeStale(path, owner) {
  const taken = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, taken);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  try {
    if (readOwner(taken) !== owner) linkSync(taken, path);
  } finally {
    rmSync(taken, { force: true });
  }
}

module.exports = { withLock };
