// The process is stopped by a signal from outside and goes on later. The stopper measures; this loop ticks.

const { once } = require("node:events");
const { program } = require("../../support/harness.cjs");

const stopper = `
  const now = () => performance.timeOrigin + performance.now();
  process.stdin.on("data", (data) => {
    const start = now();
    process.kill(process.ppid, "SIGSTOP");
    setTimeout(() => {
      process.kill(process.ppid, "SIGCONT");
      process.stdout.write(JSON.stringify({ startEpochMs: start, durationMs: now() - start }));
    }, Number(data));
  });
  process.stdout.write("here");
`;

program({
  cause: "process-stopped",
  lengthsMs: [150, 500],
  async setup(tools) {
    const child = tools.helper(process.execPath, ["-e", stopper]);
    await once(child.stdout, "data");
    return { child };
  },
  // Asynchronous: the loop goes on ticking until it stands still.
  async blockOutside(lengthMs, { child }) {
    child.stdin.write(String(lengthMs));
    const [line] = await once(child.stdout, "data");
    return JSON.parse(String(line));
  },
});
