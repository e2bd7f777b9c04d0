// An addon reads a mapped file that is no longer in memory, in an order that no reading ahead foresees. The disk is
// slowed to 200 reads a second by a control group where that is allowed (version 1, blkio).

const { appendFileSync, mkdirSync, rmdirSync, statSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

const parent = "/sys/fs/cgroup/blkio";

program({
  cause: "page-fault",
  lengthsMs: [200, 500],
  setup(tools) {
    const path = join(tools.folder(), "mapped");
    for (let part = 0; part < 4; part += 1) {
      appendFileSync(path, Buffer.alloc(64 * 1024 * 1024, part));
    }
    return { path, group: slowDisk(path), work: tools.addon("work") };
  },
  prepare: (_lengthMs, { path, work }) => work.evict(path),
  block: (lengthMs, { path, work }) => work.touchPages(path, lengthMs),
  // A disk as quick as memory makes it the addon's computing; then there is no truth to tell.
  measure: ({ durationMs, onCpuMs, runQueueMs }) =>
    durationMs - onCpuMs - runQueueMs > durationMs * 0.7 ? {} : { kind: "ignore" },
  teardown({ group }) {
    if (group === null) return;
    writeFileSync(join(parent, "cgroup.procs"), String(process.pid));
    rmdirSync(group);
  },
});

/** The group that this process is in from now on; null where there is no such right. */
function slowDisk(path) {
  const { dev } = statSync(path);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const group = join(parent, `accuracy-${process.pid}`);
  try {
    mkdirSync(group);
    writeFileSync(join(group, "blkio.throttle.read_iops_device"), `${device} 200`);
    writeFileSync(join(group, "cgroup.procs"), String(process.pid));
    return group;
  } catch {
    return null; // The disk's own speed then decides whether there is anything to measure.
  }
}
