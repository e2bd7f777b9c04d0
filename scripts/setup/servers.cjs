// What the demo and the tests need from the machine itself: a redis-server program, and the example's
// native addon with the compiler and the library for it. Redis must be there; without the addon, the
// example makes the same blocking calls through koffi.

const { buildAddon, isAddonFresh, missingForAddon } = require("./addon.cjs");
const { linkRedisServer } = require("./redis.cjs");
const { say } = require("./progress.cjs");
const { SetupError } = require("./setup-error.cjs");
const { installOnDebian, remedyFor } = require("./system-packages.cjs");

/** Finds or installs what is missing; rejects when there is no redis-server in the end. */
async function prepareServers() {
  const addonFresh = isAddonFresh();
  const missing = async () => [
    ...((await linkRedisServer()) ? [] : ["redis"]),
    ...(addonFresh ? [] : await missingForAddon()),
  ];
  let lacking = await missing();
  let complaint = null;
  if (lacking.length > 0) {
    complaint = await installOnDebian(lacking);
    lacking = await missing();
  }
  if (lacking.includes("redis")) {
    throw new SetupError(
      complaint ?? "there is no redis-server on this machine",
      `${remedyFor(lacking)}; or set REDIS_SERVER_PATH=/path/to/redis-server`,
    );
  }
  if (!addonFresh) await buildOrExplain(lacking);
}

async function buildOrExplain(lacking) {
  const problem =
    lacking.length > 0 ? `there is no ${lacking.join(" and no ")}` : await buildAddon();
  if (problem === null) return;
  say(`the example's addon was not compiled: ${problem}`);
  say("the example uses koffi for the same blocking calls instead");
  if (lacking.length > 0) say(`to have the addon: ${remedyFor(lacking)}`);
}

module.exports = { prepareServers };
