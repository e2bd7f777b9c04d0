// The package synckit makes a worker's asynchronous work synchronous.

const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-core-api",
  symbol: "Atomics.wait",
  syscall: "futex",
  in: "askWorker",
  setup(tools) {
    const { createSyncFn } = tools.load("synckit");
    const file = join(tools.folder(), "worker.cjs");
    const synckit = join(tools.packages(), "node_modules", "synckit", "lib", "index.cjs");
    writeFileSync(
      file,
      `require(${JSON.stringify(synckit)}).runAsWorker(
        (ms) => new Promise((resolve) => setTimeout(resolve, ms)));`,
    );
    const ask = createSyncFn(file);
    ask(1);
    return { ask };
  },
  block: askWorker,
});

function askWorker(lengthMs, { ask }) {
  ask(lengthMs); // blocks
}
