// The other end of programs' sockets, a process of its own. It answers "N\n" with "y" after N ms, and after
// "stop N\n" reads nothing for N ms. Prints where it listens.

const { createSocket } = require("node:dgram");
const { createServer } = require("node:net");
const { join } = require("node:path");

const unixPath = join(process.argv[2], "peer.sock");

function serve(socket) {
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    const text = data.subarray(0, 32).toString("latin1");
    const stop = /^stop (\d+)\n/.exec(text);
    if (stop !== null) {
      socket.pause();
      setTimeout(() => socket.resume(), Number(stop[1]));
    } else if (/^\d+\n/.test(text)) {
      setTimeout(() => socket.write("y"), Number.parseInt(text, 10));
    }
  });
}

// A DNS server's whole wisdom: every name has the address 127.0.0.9, told after as many ms as its first label says.
function answerDns(udp, query, from) {
  const delayMs = Number(query.toString("latin1", 13, 13 + query[12]).replace(/\D/g, ""));
  const question = query.subarray(12);
  const isA = query.readUInt16BE(query.length - 4 - additionalBytes(query)) === 1;
  const questionBytes = question.length - additionalBytes(query);
  const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 9]);
  const parts = [head, question.subarray(0, questionBytes), ...(isA ? [answer] : [])];
  setTimeout(() => udp.send(Buffer.concat(parts), from.port, from.address), delayMs);
}

/** An EDNS record (RFC 6891) after the question takes 11 bytes. */
const additionalBytes = (query) => (query.readUInt16BE(10) > 0 ? 11 : 0);

const udp = createSocket("udp4");
udp.on("message", (message, from) => {
  if (/^\d+\n/.test(message.toString("latin1"))) {
    setTimeout(() => udp.send("y", from.port, from.address), Number.parseInt(String(message), 10));
  } else {
    answerDns(udp, message, from);
  }
});
udp.bind(0, "127.0.0.1", () => {
  createServer(serve).listen(unixPath);
  const tcp = createServer(serve).listen(0, "127.0.0.1", () => {
    const ports = { host: "127.0.0.1", port: tcp.address().port, udpPort: udp.address().port };
    process.stdout.write(`${JSON.stringify({ ...ports, unixPath })}\n`);
  });
});
process.stdin.resume().once("end", () => process.exit());
