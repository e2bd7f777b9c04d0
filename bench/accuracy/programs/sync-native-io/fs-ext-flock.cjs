// The package fs-ext waits for a lock that another process holds.

const { openSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "fs_ext.node",
  syscall: "flock",
  in: "takeLock",
  setup(tools) {
    const path = join(tools.folder(), "lock");
    writeFileSync(path, "");
    return { tools, path, fd: openSync(path, "r+"), fsExt: tools.load("fs-ext") };
  },
  prepare: (lengthMs, { tools, path, fsExt, fd }) => {
    fsExt.flockSync(fd, "un");
    return tools.lock(path, "flock", 262 + lengthMs);
  },
  block: takeLock,
});

function takeLock(_lengthMs, { fsExt, fd }) {
  fsExt.flockSync(fd, "ex"); // blocks
}
