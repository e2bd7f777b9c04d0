// The addon is called after an await, in an async function, from a hot loop that V8 has optimised.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "recv_reply",
  syscall: "recvfrom",
  peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
  in: "hotQuery",
  async setup(tools) {
    const waits = tools.addon("waits");
    const peer = await tools.peer();
    const fd = waits.connectTcp(peer.port);
    for (let call = 0; call < 3_000; call += 1) hotQuery(waits, fd, 0);
    return { waits, peer, fd };
  },
  block: (lengthMs, { waits, fd }) => hotQuery(waits, fd, lengthMs),
});

function hotQuery(waits, fd, lengthMs) {
  return waits.recvReply(fd, `${lengthMs}\n`); // blocks
}
