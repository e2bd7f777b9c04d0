// The npm packages of package-lock.json, into node_modules.

const { existsSync, readFileSync } = require("node:fs");
const { npm } = require("./npm.cjs");
const { inRepository } = require("./paths.cjs");
const { say } = require("./progress.cjs");
const { SetupError } = require("./setup-error.cjs");
const { hashOf, readStamp, writeStamp } = require("./stamps.cjs");

/** Inside node_modules, so that it is gone when that is. */
const stampFile = inRepository("node_modules", ".loophound-stamp");
const lockFile = inRepository("package-lock.json");

/** Installs with `npm ci` unless what the lockfile names is there already. */
async function installPackages() {
  if (!existsSync(lockFile)) return installWithoutLock();
  const lock = JSON.parse(readFileSync(lockFile, "utf8"));
  const stamp = stampOf();
  const isStamped = readStamp(stampFile) === stamp || isInstalledByHand(lock);
  if (!isStamped || missingPackages(lock).length > 0) {
    await npm(["ci"], "installing npm packages");
    const missing = missingPackages(lock);
    if (missing.length > 0) {
      throw new SetupError(
        `npm ci left out ${missing[0]}`,
        "run `npm ci` and look at what it says",
      );
    }
  }
  if (readStamp(stampFile) !== stamp) writeStamp(stampFile, stamp);
}

async function installWithoutLock() {
  if (existsSync(stampFile)) return;
  say("there is no package-lock.json: installing the versions that package.json asks for");
  await npm(["install"], "installing npm packages");
  writeStamp(stampFile, "without a lockfile");
}

/** Platform and architecture count: some packages hold compiled files for one of them. */
function stampOf() {
  const manifest = JSON.parse(readFileSync(inRepository("package.json"), "utf8"));
  const wanted = JSON.stringify([manifest.dependencies, manifest.devDependencies]);
  return hashOf([readFileSync(lockFile), wanted, process.platform, process.arch]);
}

/** npm keeps what it installed in node_modules/.package-lock.json: somebody may have run `npm ci` before us. */
function isInstalledByHand(lock) {
  const text = readStamp(inRepository("node_modules", ".package-lock.json"));
  if (text === null) return false;
  const installed = JSON.parse(text).packages ?? {};
  return requiredPackages(lock).every(
    ([path, entry]) =>
      installed[path]?.version === entry.version && installed[path]?.integrity === entry.integrity,
  );
}

const missingPackages = (lock) =>
  requiredPackages(lock)
    .map(([path]) => path)
    .filter((path) => !existsSync(inRepository(path, "package.json")));

/** All but the optional ones that are for other machines. */
function requiredPackages(lock) {
  return Object.entries(lock.packages).filter(([path, entry]) => {
    if (path === "" || entry.link === true) return false;
    if (entry.optional !== true) return true;
    // A C library is not in npm's platform names that we could compare with, so such an entry is let go.
    const isForHere =
      entry.os?.includes(process.platform) === true && entry.cpu?.includes(process.arch) === true;
    return isForHere && entry.libc === undefined;
  });
}

module.exports = { installPackages };
