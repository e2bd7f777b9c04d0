// A worker thread computes in portions; the main thread is idle.

const { once } = require("node:events");
const { Worker } = require("node:worker_threads");
const { innocent } = require("../../support/harness.cjs");

// In portions, so that the worker itself is healthy as well.
const code = `
  const endMs = performance.now() + 2000;
  const portion = () => {
    const untilMs = performance.now() + 8;
    while (performance.now() < untilMs);
    if (performance.now() < endMs) setImmediate(portion);
  };
  portion();
`;

innocent({
  async live() {
    await once(new Worker(code, { eval: true }), "exit");
  },
});
