// An addon opens a named pipe, which waits until somebody opens the other end.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "open_fifo",
  syscall: ["openat", "open"],
  in: "openPipe",
  async setup(tools) {
    return { tools, waits: tools.addon("waits"), path: await tools.fifo() };
  },
  prepare: (lengthMs, { tools, path }) => tools.later(260 + lengthMs, 'echo >"$1"', path),
  block: openPipe,
});

function openPipe(_lengthMs, { waits, path }) {
  waits.openFifo(path); // blocks
}
