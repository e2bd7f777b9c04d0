// The agent's HTTP server: runs in the watchdog thread, so that it answers while the application's
// loop is blocked. Read only and small: it must never hold memory, connections or a port that the
// application needs.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import { countFault } from "../agent/base/guard";

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Content-Security-Policy, for a page. */
  readonly policy?: string;
}

/** An answer that goes on until its reader or the server ends it. */
export interface StreamAnswer {
  readonly contentType: string;
  /** Takes the open answer. */
  readonly stream: (response: ServerResponse) => void;
}

export interface RouteRequest {
  readonly query: URLSearchParams;
  /** The Accept header, if there is one. */
  readonly accept: string | undefined;
}

export type Route = (request: RouteRequest) => Answer | StreamAnswer | Promise<Answer>;

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly routes: ReadonlyMap<string, Route>;
  /** One line for people, without a newline; at most a few in the server's life. */
  readonly say: (text: string) => void;
  /** Called at each change; 0 while none is held. */
  readonly onPort: (port: number) => void;
}

export interface HttpServer {
  /** The port listened on; 0 while there is none. */
  port(): number;
  /** Gives the port up before it returns, for an application that wants it, and listens on another. */
  releasePort(): void;
  stop(): void;
}

/** A request line and a scraper's headers take less than 1 KiB. */
const headerBytesMax = 8 * 1024;
/** Scrapers, probes and a few browsers; a flood of connections is refused by the kernel's hand. */
const connectionsMax = 64;
/** On loopback or within a cluster, headers that take longer are an attack or a fault. */
const headersTimeoutMs = 3000;
const requestTimeoutMs = 5000;
/** Shorter than a scrape interval: each scraper comes back with a new connection, which costs nothing here. */
const keepAliveMs = 5000;
/** A reader that has not taken its answer by then gets no more of it: its buffer is our memory. */
const answerTimeoutMs = 10_000;
/** How often Node looks for requests that are overdue. */
const overdueCheckMs = 2000;
/** Neighbours tried where the wanted port is taken: as many processes of one application as are usual. */
const neighboursTried = 16;
const portMax = 65_535;

/** Where to listen; `reason` says why not where it was wanted, and is told with the port once it is known. */
interface Target {
  readonly port: number;
  readonly triesLeft: number;
  readonly reason: string | null;
}

/** With another port these need not come again. */
const refusals: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken",
  EACCES: "is not allowed",
};

/** Starts at once, in the background: `onPort` tells when and where it listens. */
export function startHttpServer(options: HttpServerOptions): HttpServer {
  let server: Server | null = null;
  /** The one above, and those that gave their port up while they had answers under way. */
  const alive = new Set<Server>();
  let held = 0;
  let isStopped = false;

  function hold(port: number): void {
    held = port;
    options.onPort(port);
  }

  function listen(target: Target): void {
    const attempt = createHttp(options.routes);
    const isCurrent = (): boolean => server === attempt && !isStopped;
    server = attempt;
    alive.add(attempt);
    attempt.on("close", () => alive.delete(attempt));
    attempt.on("error", (error: NodeJS.ErrnoException) => {
      alive.delete(attempt);
      if (isCurrent()) listenElsewhere(target, error);
    });
    attempt.listen({ port: target.port, host: options.host, exclusive: true }, () => {
      if (!isCurrent()) return void attempt.close();
      hold((attempt.address() as AddressInfo).port);
      if (target.reason !== null) {
        options.say(`${target.reason}; metrics are on ${at(options.host, held)}`);
      }
    });
  }

  function listenElsewhere(target: Target, error: NodeJS.ErrnoException): void {
    const why = refusals[error.code ?? ""];
    if (why !== undefined && target.port !== 0) {
      listen(next(target, target.reason ?? `port ${target.port} ${why}`));
    } else {
      options.say(`no metrics are served: cannot listen on ${options.host} (${error.message})`);
    }
  }

  listen({ port: options.port, triesLeft: neighboursTried, reason: null });
  return {
    port: () => held,
    releasePort() {
      if (held === 0 || isStopped) return;
      const released = held;
      // Closes the listening socket before it returns (libuv, uv__stream_close); answers under way
      // go on, for they are connections of their own.
      server?.close();
      hold(0);
      const reason = `port ${released} was wanted by the application`;
      listen(next({ port: released, triesLeft: neighboursTried }, reason));
    },
    stop() {
      if (isStopped) return;
      isStopped = true;
      server?.close();
      for (const one of alive) one.closeAllConnections();
      if (held !== 0) hold(0);
    },
  };
}

/** The neighbour above, while there are tries left; then any free port. */
function next({ port, triesLeft }: Omit<Target, "reason">, reason: string): Target {
  const isLast = triesLeft <= 0 || port >= portMax;
  return { port: isLast ? 0 : port + 1, triesLeft: triesLeft - 1, reason };
}

const at = (host: string, port: number): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}/metrics`;

function createHttp(routes: ReadonlyMap<string, Route>): Server {
  const server = createServer(
    {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: overdueCheckMs,
    },
    (request, response) => void respond(routes, request, response),
  );
  server.maxConnections = connectionsMax;
  server.timeout = answerTimeoutMs;
  return server;
}

async function respond(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // An answer that waits behind another one of its connection has no socket yet, and would lie in memory
  // for as long as the first one's reader likes. Nobody who asks here sends ahead.
  if (response.socket === null) {
    request.socket.destroy();
    return;
  }
  try {
    const limit = limitTime(response);
    const answered = await answer(routes, request);
    if ("stream" in answered) {
      clearTimeout(limit);
      open(request, response, answered);
    } else send(request, response, answered);
  } catch (error) {
    countFault("http", error);
    response.destroy();
  }
}

function limitTime(response: ServerResponse): NodeJS.Timeout {
  const overdue = setTimeout(() => response.destroy(), answerTimeoutMs).unref();
  response.on("close", () => clearTimeout(overdue));
  return overdue;
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
): Promise<Answer | StreamAnswer> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "GET or HEAD only\n");
  }
  if (!isAddressedHere(request)) return plain(403, "ask by an IP address or localhost\n");
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  const route = routes.get(path);
  if (route === undefined) return plain(404, "no such page; / lists what there is\n");
  try {
    return await route({ query: new URLSearchParams(query), accept: request.headers.accept });
  } catch (error) {
    countFault("http", error);
    return plain(500, "loophound failed to answer; see loophound_internal_errors_total\n");
  }
}

/**
 * On loopback, a name other than localhost is somebody else's that was pointed here: a page on the web
 * could read all of this through its visitor's browser (DNS rebinding). Clients without a Host are none.
 */
function isAddressedHere({ headers, socket }: IncomingMessage): boolean {
  if (!isLoopback(socket.localAddress ?? "")) return true;
  const name = (headers.host ?? "localhost").replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  return name.toLowerCase() === "localhost" || isIP(name) !== 0;
}

const isLoopback = (address: string): boolean =>
  address === "::1" || /^(::ffff:)?127\./.test(address);

/** A short answer in plain text. */
export const plain = (status: number, body: string): Answer => ({
  status,
  contentType: "text/plain; charset=utf-8",
  body,
});

function send(request: IncomingMessage, response: ServerResponse, answered: Answer): void {
  const body = Buffer.from(answered.body);
  const hasBody = request.headers["content-length"] !== undefined || isChunked(request);
  response.writeHead(answered.status, {
    "Content-Type": answered.contentType,
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(answered.status === 405 ? { Allow: "GET, HEAD" } : {}),
    ...(answered.policy === undefined ? {} : { "Content-Security-Policy": answered.policy }),
    // A body that nobody wants is not read to its end: the connection goes with it.
    ...(hasBody ? { Connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function open(
  request: IncomingMessage,
  response: ServerResponse,
  { contentType, stream }: StreamAnswer,
): void {
  if (request.method === "HEAD") {
    send(request, response, { ...plain(200, ""), contentType });
    return;
  }
  response.writeHead(200, {
    "Content-Type": contentType,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    Connection: "close",
  });
  stream(response);
}

const isChunked = (request: IncomingMessage): boolean =>
  request.headers["transfer-encoding"] !== undefined;
