// An addon connects to a server whose queue is full: connect(2) waits for the second attempt of the kernel.

const { program } = require("../../support/harness.cjs");

let port = 0;

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "open_socket",
  syscall: "connect",
  peer: () => ({ host: "127.0.0.1", port }),
  in: "connect",
  lengthsMs: [900],
  setup: (tools) => {
    const waits = tools.addon("waits");
    port = waits.fullPort(2_300);
    return { waits };
  },
  block: connect,
});

function connect(_lengthMs, { waits }) {
  waits.connectTcp(port); // blocks
}
