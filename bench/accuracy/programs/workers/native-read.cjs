// A worker thread of the application waits in an addon; the main thread is healthy.

const { isMainThread, Worker } = require("node:worker_threads");
const { program } = require("../../support/harness.cjs");

if (isMainThread) {
  new Worker(__filename);
} else {
  program({
    cause: "sync-native-io",
    module: "waits.node",
    symbol: "recv_reply",
    syscall: "recvfrom",
    peer: ({ peer }) => ({ host: peer.host, port: peer.port }),
    in: "askInWorker",
    async setup(tools) {
      const waits = tools.addon("waits");
      const peer = await tools.peer();
      return { waits, peer, fd: waits.connectTcp(peer.port) };
    },
    block: askInWorker,
  });
}

function askInWorker(lengthMs, { waits, fd }) {
  waits.recvReply(fd, `${lengthMs}\n`); // blocks
}
