// The block comes as soon as an agent can be expected to be there: right after the process began to listen.

const { createServer } = require("node:net");
const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "recv_reply",
  syscall: "recvfrom",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "firstQuery",
  lengthsMs: [250],
  startAgeMs: 500,
  async setup(tools) {
    createServer().listen(0, "127.0.0.1");
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    return { waits, peer, fd: waits.connectTcp(peer.port) };
  },
  block: firstQuery,
});

function firstQuery(lengthMs, { waits, fd }) {
  waits.recvReply(fd, `${lengthMs}\n`); // blocks
}
