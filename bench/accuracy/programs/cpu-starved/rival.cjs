// Two other processes compute on the one CPU that this one may use, and go before it.

const { execFileSync } = require("node:child_process");
const { once } = require("node:events");
const { getPriority, setPriority } = require("node:os");
const { program } = require("../../support/harness.cjs");

const rival = `
  process.stdin.on("data", (data) => {
    const end = Date.now() + Number(data);
    while (Date.now() < end);
  });
  process.stdout.write("here");
`;

program({
  cause: "cpu-starved",
  // One rival may be done a little later than the other.
  lingers: true,
  lengthsMs: [250, 600],
  async setup(tools) {
    try {
      execFileSync("taskset", ["-a", "-c", "-p", "0", String(process.pid)]);
    } catch (error) {
      tools.skip(`taskset: ${error.message}`);
    }
    const rivals = [0, 1].map(() =>
      tools.helper("taskset", ["-c", "0", process.execPath, "-e", rival]),
    );
    for (const child of rivals) await once(child.stdout, "data");
    // The thread that asks, not the process: whoever watches it has its own share.
    setPriority(0, 19);
    return { rivals, nice: getPriority() };
  },
  block(lengthMs, { rivals }) {
    for (const child of rivals) child.stdin.write(`${lengthMs}\n`);
    const endMs = process.cpuUsage().user + process.cpuUsage().system + 12_000;
    while (process.cpuUsage().user + process.cpuUsage().system < endMs);
  },
  // Only if the kernel says that the thread mostly waited for a CPU.
  measure: ({ durationMs, runQueueMs }) =>
    runQueueMs > durationMs * 0.7 ? {} : { kind: "ignore" },
});
