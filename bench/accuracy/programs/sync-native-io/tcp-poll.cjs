// An addon waits in poll(2) for the reply on a TCP connection.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "poll_reply",
  syscall: "poll",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "askPoll",
  async setup(tools) {
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    return { waits, peer, fd: waits.connectTcp(peer.port) };
  },
  block: askPoll,
});

function askPoll(lengthMs, { waits, fd }) {
  waits.pollReply(fd, `${lengthMs}\n`); // blocks
}
