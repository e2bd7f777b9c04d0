// An addon computes for four fifths of the time and waits on a socket for the rest.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "work.node",
  in: "queryAndCrunch",
  async setup(tools) {
    const peer = await tools.peer();
    return { work: tools.addon("work"), fd: tools.addon("waits").connectTcp(peer.port) };
  },
  block: queryAndCrunch,
});

function queryAndCrunch(lengthMs, { work, fd }) {
  const computeMs = Math.round(lengthMs * 0.8);
  work.computeAndRecv(fd, `${lengthMs - computeMs}\n`, computeMs); // blocks
}
