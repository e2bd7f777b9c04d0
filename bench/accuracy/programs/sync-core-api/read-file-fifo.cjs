// A whole file is read, and the file is a pipe that is written slowly.

const { readFileSync } = require("node:fs");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("fs.readFileSync"),
  syscall: ["read", "openat"],
  in: "readAll",
  setup: async (tools) => ({ tools, path: await tools.fifo() }),
  prepare: (lengthMs, { tools, path }) =>
    tools.later(248, '(sleep "$2"; echo) >"$1"', path, String(lengthMs / 1_000)),
  block: readAll,
});

function readAll(_lengthMs, world) {
  readFileSync(world.path); // blocks
}
