// A named pipe is opened, which waits for the other end.

const { closeSync, openSync } = require("node:fs");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("fs.openSync"),
  syscall: ["openat", "open"],
  in: "openPipe",
  setup: async (tools) => ({ tools, path: await tools.fifo() }),
  prepare: (lengthMs, { tools, path }) => tools.later(260 + lengthMs, 'echo >"$1"', path),
  block: openPipe,
});

function openPipe(_lengthMs, world) {
  closeSync(openSync(world.path, "r")); // blocks
}
