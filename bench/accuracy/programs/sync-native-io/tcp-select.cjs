// An addon waits in select(2) for the reply on a TCP connection.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "select_reply",
  syscall: ["select", "pselect6"],
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "askSelect",
  async setup(tools) {
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    return { waits, peer, fd: waits.connectTcp(peer.port) };
  },
  block: askSelect,
});

function askSelect(lengthMs, { waits, fd }) {
  waits.selectReply(fd, `${lengthMs}\n`); // blocks
}
