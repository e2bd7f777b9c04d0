// An addon waits in read(2) for the reply on a TCP connection.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "read_reply",
  syscall: "read",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "askRead",
  async setup(tools) {
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    return { waits, peer, fd: waits.connectTcp(peer.port) };
  },
  block: askRead,
});

function askRead(lengthMs, { waits, fd }) {
  waits.readReply(fd, `${lengthMs}\n`); // blocks
}
