// librabbitmq connects, and the broker does not introduce itself for a while. The broker is a stub that then hangs up.

const { program } = require("../../support/harness.cjs");
const code = `
  const net = require("node:net");
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    setTimeout(() => socket.destroy(), Number(process.argv[1]));
  });
  server.listen(0, "127.0.0.1", () => process.stdout.write(String(server.address().port)));
`;
const { once } = require("node:events");

let port = 0;

program({
  cause: "sync-native-io",
  module: "rabbit.node",
  syscall: ["poll", "ppoll", "recvfrom"],
  peer: () => ({ host: "127.0.0.1", port }),
  in: "logIn",
  setup: (tools) => ({ tools, rabbit: tools.addon("rabbit") }),
  async prepare(lengthMs, { tools }) {
    const broker = tools.helper(process.execPath, ["-e", code, String(lengthMs)]);
    port = Number((await once(broker.stdout, "data"))[0]);
  },
  block: logIn,
});

function logIn(_lengthMs, { rabbit }) {
  rabbit.logIn(port); // blocks
}
