// A worker thread of the application waits for a command; the main thread is healthy.

const { execSync } = require("node:child_process");
const { isMainThread, Worker } = require("node:worker_threads");
const { core, program } = require("../../support/harness.cjs");

if (isMainThread) {
  new Worker(__filename);
} else {
  program({
    ...core("child_process.execSync"),
    syscall: ["epoll_wait", "epoll_pwait"],
    in: "runInWorker",
    block: runInWorker,
  });
}

function runInWorker(lengthMs) {
  execSync(`sleep ${lengthMs / 1_000}`); // blocks
}
