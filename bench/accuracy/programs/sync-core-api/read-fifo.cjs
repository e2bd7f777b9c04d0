// A named pipe is read, and nothing is in it yet.

const { openSync, readSync } = require("node:fs");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("fs.readSync"),
  syscall: "read",
  in: "readPipe",
  setup: async (tools) => {
    const path = await tools.fifo();
    // Read and write, so that opening it waits for nobody.
    return { tools, path, fd: openSync(path, "r+") };
  },
  prepare: (lengthMs, { tools, path }) => tools.later(260 + lengthMs, 'printf x >"$1"', path),
  block: readPipe,
});

function readPipe(_lengthMs, world) {
  readSync(world.fd, Buffer.alloc(1)); // blocks
}
