// An addon sends more than the peer takes: it waits in send(2) until the peer reads on.

const { program } = require("../../support/harness.cjs");

const bytes = 16 * 1024 * 1024;

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "send_all",
  syscall: "sendto",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "sendAll",
  async setup(tools) {
    return { waits: tools.addon("waits"), peer: await tools.peer() };
  },
  block: sendAll,
});

function sendAll(lengthMs, { waits, peer }) {
  const fd = waits.connectTcp(peer.port);
  waits.sendAll(fd, `stop ${lengthMs}\n`, bytes); // blocks
}
