// A control group allows 10 ms of CPU in 200 ms (Linux, with the right to make groups).

const { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

const parents = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"];

program({
  cause: "cpu-starved",
  // What is left of the period passes after the limit is lifted.
  lingers: true,
  lengthsMs: [30, 60],
  setup(tools) {
    const parent = parents.find((path) => existsSync(path));
    const group = join(parent ?? "", `accuracy-${process.pid}`);
    try {
      mkdirSync(group);
      const isSecond = existsSync(join(group, "cpu.max"));
      if (!isSecond && !existsSync(join(group, "cpu.cfs_quota_us"))) throw new Error("no quota");
      return { group, parent, isSecond };
    } catch (error) {
      return tools.skip(`no control group with a CPU quota: ${error.message}`);
    }
  },
  prepare(_lengthMs, { group }) {
    writeFileSync(join(group, "cgroup.procs"), String(process.pid));
  },
  block(cpuMs, world) {
    limit(world, 10_000);
    const start = process.cpuUsage();
    while (usedMs(start) < cpuMs);
    limit(world, -1);
  },
  measure: ({ durationMs, onCpuMs }) => (onCpuMs < durationMs * 0.3 ? {} : { kind: "ignore" }),
  teardown({ group, parent }) {
    writeFileSync(join(parent, "cgroup.procs"), String(process.pid));
    rmdirSync(group);
  },
});

function limit({ group, isSecond }, quotaUs) {
  if (isSecond) {
    writeFileSync(join(group, "cpu.max"), quotaUs < 0 ? "max" : `${quotaUs} 200000`);
    return;
  }
  const period = readFileSync(join(group, "cpu.cfs_period_us"), "utf8").trim();
  if (period !== "200000") writeFileSync(join(group, "cpu.cfs_period_us"), "200000");
  writeFileSync(join(group, "cpu.cfs_quota_us"), String(quotaUs));
}

function usedMs(start) {
  const used = process.cpuUsage(start);
  return (used.user + used.system) / 1_000;
}
