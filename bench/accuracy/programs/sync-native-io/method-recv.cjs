// A method of an addon's class, which can be neither replaced nor wrapped, waits on a socket.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "work.node",
  symbol: "compute_and_recv",
  syscall: "recvfrom",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "Session.query",
  async setup(tools) {
    const peer = await tools.peer();
    const fd = tools.addon("waits").connectTcp(peer.port);
    return { peer, session: new Session(tools.addon("work"), fd) };
  },
  block: (lengthMs, { session }) => session.query(lengthMs),
});

class Session {
  constructor(work, fd) {
    this.engine = new work.Engine();
    this.fd = fd;
  }

  query(lengthMs) {
    this.engine.computeAndRecv(this.fd, `${lengthMs}\n`, 0); // blocks
  }
}
