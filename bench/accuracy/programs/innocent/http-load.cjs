// An HTTP server answers its own clients, busily.

const { Agent, createServer, get } = require("node:http");
const { innocent } = require("../../support/harness.cjs");

innocent({
  async live() {
    const server = createServer((_request, response) => response.end("hello"));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${server.address().port}/`;
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const endMs = performance.now() + 2_500;
    const client = async () => {
      while (performance.now() < endMs) await fetchText(url, agent);
    };
    await Promise.all(Array.from({ length: 8 }, client));
    agent.destroy();
    server.close();
  },
});

function fetchText(url, agent) {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => response.resume().once("end", resolve)).once("error", reject);
  });
}
