// An addon computes for a fifth of the time and waits on a socket for the rest: the greater part decides.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "work.node",
  symbol: "compute_and_recv",
  syscall: "recvfrom",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "query",
  async setup(tools) {
    const peer = await tools.peer();
    return { peer, work: tools.addon("work"), fd: tools.addon("waits").connectTcp(peer.port) };
  },
  block: query,
});

function query(lengthMs, { work, fd }) {
  const computeMs = Math.round(lengthMs / 5);
  work.computeAndRecv(fd, `${lengthMs - computeMs}\n`, computeMs); // blocks
}
