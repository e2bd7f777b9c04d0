// An addon waits in an epoll of its own for the reply on a TCP connection.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "epoll_reply",
  syscall: ["epoll_wait", "epoll_pwait"],
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "askEpoll",
  async setup(tools) {
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    return { waits, peer, fd: waits.connectTcp(peer.port) };
  },
  block: askEpoll,
});

function askEpoll(lengthMs, { waits, fd }) {
  waits.epollReply(fd, `${lengthMs}\n`); // blocks
}
