// An addon waits in fcntl(F_SETLKW) for a lock that another process holds.

const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "lock_record",
  syscall: "fcntl",
  in: "takeLock",
  setup(tools) {
    const path = join(tools.folder(), "lock");
    writeFileSync(path, "");
    return { tools, path, waits: tools.addon("waits") };
  },
  // The loop stays healthy for 260 ms after this, and then the block begins.
  prepare: (lengthMs, { tools, path }) => tools.lock(path, "record", 262 + lengthMs),
  block: takeLock,
});

function takeLock(_lengthMs, { waits, path }) {
  waits.lockRecord(path); // blocks
}
