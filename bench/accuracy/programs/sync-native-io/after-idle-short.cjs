// A short block, after twelve seconds of sleep.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "recv_reply",
  syscall: "recvfrom",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "lateQuery",
  lengthsMs: [70],
  idleMs: 12000,
  async setup(tools) {
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    return { waits, peer, fd: waits.connectTcp(peer.port) };
  },
  block: lateQuery,
});

function lateQuery(lengthMs, { waits, fd }) {
  waits.recvReply(fd, `${lengthMs}\n`); // blocks
}
