// An addon waits in recv(2) for the reply on a TCP connection.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "recv_reply",
  syscall: "recvfrom",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "askRecv",
  async setup(tools) {
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    return { waits, peer, fd: waits.connectTcp(peer.port) };
  },
  block: askRecv,
});

function askRecv(lengthMs, { waits, fd }) {
  waits.recvReply(fd, `${lengthMs}\n`); // blocks
}
