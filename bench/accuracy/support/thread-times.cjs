// The calling thread's own account of its time, as the kernel keeps it (kernel documentation, scheduler/sched-stats):
// nanoseconds on a CPU, and nanoseconds of waiting for one. NaN where there is no such file.

const { readFileSync } = require("node:fs");

function readThreadTimes() {
  try {
    const [onCpuNs, runQueueNs] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ");
    return { onCpuMs: Number(onCpuNs) / 1e6, runQueueMs: Number(runQueueNs) / 1e6 };
  } catch {
    return { onCpuMs: Number.NaN, runQueueMs: Number.NaN };
  }
}

module.exports = { readThreadTimes };
