// libpq connects to a server that says nothing for a while and then hangs up.

const { once } = require("node:events");
const { program } = require("../../support/harness.cjs");

const code = `
  const net = require("node:net");
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    setTimeout(() => socket.destroy(), Number(process.argv[1]));
  });
  server.listen(0, "127.0.0.1", () => process.stdout.write(String(server.address().port)));
`;
let port = 0;

program({
  cause: "sync-native-io",
  module: "addon.node",
  syscall: ["poll", "ppoll"],
  peer: () => ({ host: "127.0.0.1", port }),
  in: "connect",
  setup: (tools) => ({ tools, Client: tools.load("libpq") }),
  async prepare(lengthMs, { tools }) {
    const server = tools.helper(process.execPath, ["-e", code, String(lengthMs)]);
    port = Number((await once(server.stdout, "data"))[0]);
  },
  block: connect,
});

function connect(_lengthMs, { Client }) {
  try {
    new Client().connectSync(`host=127.0.0.1 port=${port} sslmode=disable gssencmode=disable`); // blocks
  } catch {
    // The server hung up, as it should.
  }
}
