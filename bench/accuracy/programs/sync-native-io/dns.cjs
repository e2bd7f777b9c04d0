// An addon looks up a name with getaddrinfo(3), and the DNS server takes its time.

const { program } = require("../../support/harness.cjs");

let count = 0;

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "look_up",
  syscall: "poll",
  peer: ({ peer }) => ({ host: peer.host, port: peer.udpPort }),
  in: "lookUp",
  async setup(tools) {
    return { waits: tools.addon("waits"), peer: await tools.peer() };
  },
  block: lookUp,
});

function lookUp(lengthMs, { waits, peer }) {
  count += 1;
  waits.lookUp(`w${lengthMs}.n${count}.example.`, peer.udpPort); // blocks
}
