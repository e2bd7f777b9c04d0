// The set-up's steps, in order, one process at a time.

const { prepareAccuracy } = require("./accuracy.cjs");
const { prepareBrowser } = require("./browser.cjs");
const { installPackages } = require("./packages.cjs");
const { compile } = require("./compile.cjs");
const { prepareNodes } = require("./nodes.cjs");
const { preparePrometheus } = require("./prometheus.cjs");
const { prepareBroker } = require("./rabbitmq.cjs");
const { prepareServers } = require("./servers.cjs");
const { withLock } = require("./lock.cjs");

const steps = {
  packages: installPackages,
  build: compile,
  servers: prepareServers,
  nodes: prepareNodes,
  broker: prepareBroker,
  browser: prepareBrowser,
  prometheus: preparePrometheus,
  accuracy: prepareAccuracy,
};

/** Makes ready what the named steps stand for; each step looks first and does nothing when all is there. */
function prepare(names) {
  return withLock(async () => {
    for (const name of names) await steps[name]();
  });
}

module.exports = { prepare };
