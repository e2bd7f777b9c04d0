// An addon waits for an answer by UDP.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "recv_reply",
  syscall: "recvfrom",
  peer: ({ peer }) => ({ host: peer.host, port: peer.udpPort }),
  in: "askRecv",
  async setup(tools) {
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    return { waits, peer, fd: waits.connectUdp(peer.udpPort) };
  },
  block: askRecv,
});

function askRecv(lengthMs, { waits, fd }) {
  waits.recvReply(fd, `${lengthMs}\n`); // blocks
}
