// Real requests over loopback, on ports that the kernel picks.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { faultCounts } from "../../../agent/base/guard";
import {
  type HttpServer,
  type HttpServerOptions,
  plain,
  type Route,
  startHttpServer,
} from "../../../exporters/http-server";

const host = "127.0.0.1";
const running: (() => void)[] = [];
afterEach(() => {
  for (const stop of running.splice(0)) stop();
});

const routes = new Map<string, Route>([
  ["/", () => plain(200, "index\n")],
  ["/echo", ({ query, accept }) => plain(200, `${query.get("q")} ${accept}`)],
  [
    "/stream",
    () => ({
      contentType: "text/event-stream",
      stream(response) {
        response.write("data: 1\n\n");
        setTimeout(() => response.end("data: 2\n\n"), 20);
      },
    }),
  ],
  ["/page", () => ({ ...plain(200, "<p>"), policy: "default-src 'none'" })],
  ["/large", () => plain(200, "x".repeat(8 << 20))],
  [
    "/broken",
    () => {
      throw new Error("boom");
    },
  ],
]);

/** Resolves with each port that is announced, in order. */
function start(given: Partial<HttpServerOptions> = {}) {
  const said: string[] = [];
  const ports: number[] = [];
  const waiting: ((port: number) => void)[] = [];
  const server: HttpServer = startHttpServer({
    host,
    port: 0,
    routes,
    say: (text) => said.push(text),
    onPort: (port) => {
      if (port !== 0) waiting.shift()?.(port);
      ports.push(port);
    },
    ...given,
  });
  running.push(() => server.stop());
  return {
    server,
    said,
    ports,
    nextPort: () => new Promise<number>((resolve) => waiting.push(resolve)),
  };
}

const get = (port: number, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://${host}:${port}${path}`, init);

/** Sends bytes as they are and gives all that came back until the other end closed. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    let answer = "";
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.on("error", () => resolve(answer));
    socket.on("close", () => resolve(answer));
    socket.write(bytes);
  });
}

async function occupy(port: number): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  running.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

test("a stream goes on until it is ended, and a HEAD of it is answered at once", async () => {
  const { nextPort } = start();
  const port = await nextPort();
  const response = await get(port, "/stream");
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(await response.text()).toBe("data: 1\n\ndata: 2\n\n");
  const head = await get(port, "/stream", { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("requests that were sent ahead are not answered from memory: the connection ends", async () => {
  const { nextPort } = start();
  const port = await nextPort();
  const answers = await exchange(port, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3));
  expect(answers.match(/HTTP\/1\.1 200/g)?.length ?? 0).toBeLessThanOrEqual(1);
});

test.each([
  ["localhost:1", 200],
  ["127.0.0.1:9749", 200],
  ["[::1]:9749", 200],
  ["rebound.example:9749", 403],
  ["localhost.rebound.example", 403],
])("asked on loopback for the host %s it answers %i", async (name, status) => {
  const { nextPort } = start();
  const request = `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`;
  expect(await exchange(await nextPort(), request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("a page carries its policy", async () => {
  const { nextPort } = start();
  const response = await get(await nextPort(), "/page");
  expect(response.headers.get("content-security-policy")).toBe("default-src 'none'");
});

describe("requests", () => {
  test("a page is found by its path, and gets query and Accept", async () => {
    const { nextPort } = start();
    const port = await nextPort();
    const response = await get(port, "/echo?q=a%20b", { headers: { accept: "text/plain" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.text()).toBe("a b text/plain");
  });

  test("HEAD gives the same headers and no body", async () => {
    const { nextPort } = start();
    const port = await nextPort();
    const response = await get(port, "/", { method: "HEAD" });
    expect([response.status, response.headers.get("content-length")]).toEqual([200, "6"]);
    expect(await response.text()).toBe("");
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("%s is refused", async (method) => {
    const { nextPort } = start();
    const port = await nextPort();
    const response = await get(port, "/", { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("a body is not waited for", async () => {
    const { nextPort } = start();
    const port = await nextPort();
    const answer = await exchange(
      port,
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).toMatch(/\r\nConnection: close\r\n/i);
  });

  test.each(["/nothing", "//", "/../etc/passwd", "/metrics/", "/%00", "/__proto__"])(
    "%s does not exist",
    async (path) => {
      const { nextPort } = start();
      const port = await nextPort();
      const answer = await exchange(
        port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    },
  );

  test("a page that fails says so, is counted, and the next one works", async () => {
    const { nextPort } = start();
    const port = await nextPort();
    expect((await get(port, "/broken")).status).toBe(500);
    expect(faultCounts().get("http")).toBe(1);
    expect((await get(port, "/")).status).toBe(200);
  });

  test("headers beyond 8 KiB are refused", async () => {
    const { nextPort } = start();
    const port = await nextPort();
    const answer = await exchange(port, `GET / HTTP/1.1\r\nX: ${"y".repeat(9000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("what is not HTTP is refused", async () => {
    const { nextPort } = start();
    const port = await nextPort();
    expect(await exchange(port, "\u0016\u0003\u0001 hello\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect((await get(port, "/")).status).toBe(200);
  });

  test("readers that take nothing do not hold up the others", async () => {
    const { nextPort } = start();
    const port = await nextPort();
    const lazy = await Promise.all(Array.from({ length: 20 }, () => askAndNotRead(port)));
    expect(await (await get(port, "/")).text()).toBe("index\n");
    for (const socket of lazy) socket.destroy();
  });

  test("more connections than it keeps do not harm those that it has", async () => {
    const { nextPort } = start();
    const port = await nextPort();
    const kept = await open(port);
    const flood = await Promise.all(Array.from({ length: 200 }, () => open(port)));
    const answered = new Promise<string>((resolve) => {
      kept.once("data", (data) => resolve(data.toString()));
    });
    kept.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
    await Promise.all(flood.map(closed));
    expect((await get(port, "/")).status).toBe(200);
    kept.destroy();
  });
});

function open(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => resolve(socket));
    socket.on("error", () => resolve(socket));
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.once("close", () => resolve());
    socket.destroy();
  });
}

async function askAndNotRead(port: number): Promise<Socket> {
  const socket = await open(port);
  socket.pause();
  socket.write("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return socket;
}

describe("the port", () => {
  test("0 picks one, without a word", async () => {
    const { server, said, nextPort } = start();
    const port = await nextPort();
    expect(port).toBeGreaterThan(0);
    expect(server.port()).toBe(port);
    expect(said).toEqual([]);
  });

  test("a port that is taken is left alone; another is found, and said once", async () => {
    const taken = await occupy(0);
    const { said, nextPort } = start({ port: taken.port });
    const port = await nextPort();
    expect(port).not.toBe(taken.port);
    expect(said).toEqual([
      `port ${taken.port} is taken; metrics are on http://${host}:${port}/metrics`,
    ]);
    expect((await get(port, "/")).status).toBe(200);
  });

  test("is free for the application as soon as it is given up, even with a client connected", async () => {
    const { server, said, ports, nextPort } = start();
    const port = await nextPort();
    // The client keeps its connection, whose local end has that port.
    expect((await get(port, "/")).status).toBe(200);
    const elsewhere = nextPort();
    const application = createServer();
    running.push(() => application.close());
    const listening = new Promise<void>((resolve, reject) => {
      application.once("error", reject);
      application.once("listening", resolve);
    });
    server.releasePort();
    expect(server.port()).toBe(0);
    application.listen({ port, host });
    await listening;
    const next = await elsewhere;
    expect(next).not.toBe(port);
    expect(ports).toEqual([port, 0, next]);
    expect(said).toEqual([
      `port ${port} was wanted by the application; metrics are on http://${host}:${next}/metrics`,
    ]);
    expect((await get(next, "/")).status).toBe(200);
  });

  test("can be given up again and again", async () => {
    const { server, nextPort } = start();
    const seen = [await nextPort()];
    for (let i = 0; i < 3; i++) {
      const next = nextPort();
      server.releasePort();
      server.releasePort();
      seen.push(await next);
    }
    expect(new Set(seen).size).toBe(4);
    expect((await get(seen[3] as number, "/")).status).toBe(200);
  });

  test("an answer under way is finished after the port was given up", async () => {
    let finish: (text: string) => void = () => undefined;
    let tellAsked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      tellAsked = resolve;
    });
    const slow: Route = () =>
      new Promise((resolve) => {
        finish = (text) => resolve(plain(200, text));
        tellAsked();
      });
    const { server, nextPort } = start({ routes: new Map([["/slow", slow]]) });
    const answer = get(await nextPort(), "/slow");
    await isAsked;
    server.releasePort();
    finish("done");
    expect(await (await answer).text()).toBe("done");
  });

  test("a host that is not ours ends in one word and no server", async () => {
    const said = await new Promise<string>((resolve) => {
      start({ host: "192.0.2.1", say: resolve });
    });
    expect(said).toMatch(/^no metrics are served: cannot listen on 192\.0\.2\.1 /);
  });

  test("stopping closes everything, and nothing comes after", async () => {
    const { server, ports, nextPort } = start();
    const port = await nextPort();
    const socket = await open(port);
    server.stop();
    server.stop();
    server.releasePort();
    await closed(socket);
    await expect(get(port, "/")).rejects.toThrow();
    expect(ports).toEqual([port, 0]);
  });

  test("stopping before it listens leaves nothing behind", async () => {
    const { server, ports } = start();
    server.stop();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect([server.port(), ports]).toEqual([0, []]);
  });
});
