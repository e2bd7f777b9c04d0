// More is written into a pipe than fits, and nobody reads for a while.

const { openSync, writeSync } = require("node:fs");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("fs.writeSync"),
  syscall: "write",
  in: "writeAll",
  async setup(tools) {
    const path = await tools.fifo();
    return { tools, path, fd: openSync(path, "r+"), data: Buffer.alloc(200_000) };
  },
  prepare: (lengthMs, { tools, path }) =>
    tools.later(260 + lengthMs, 'head -c 200000 "$1" >/dev/null', path),
  block: writeAll,
});

function writeAll(_lengthMs, { fd, data }) {
  let left = data.length;
  while (left > 0) {
    left -= writeSync(fd, data, 0, left); // blocks
  }
}
