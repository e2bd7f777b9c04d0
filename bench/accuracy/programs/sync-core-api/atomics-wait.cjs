// The main thread waits in Atomics.wait.

const { program } = require("../../support/harness.cjs");

const cell = new Int32Array(new SharedArrayBuffer(4));

program({
  cause: "sync-core-api",
  symbol: "Atomics.wait",
  syscall: "futex",
  in: "waitForWorker",
  block: waitForWorker,
});

function waitForWorker(lengthMs) {
  Atomics.wait(cell, 0, 0, lengthMs); // blocks
}
