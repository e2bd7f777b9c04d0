// The API of the founding incident, in small: log in, ask for a session, queue a job. TTL, EXPIRE and
// BLPOP go through ioredis; sessions are looked up through a synchronous native client (SESSIONS=sync) or
// through ioredis as well (SESSIONS=async). It knows nothing of loophound.
//
// Environment: PORT (0 picks one), REDIS_HOST, REDIS_PORT, SESSIONS, SYNC_CLIENT.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { env } from "node:process";
import { Redis } from "ioredis";
import { openAsyncSessions } from "./async-sessions";
import { pushJob, startWorker } from "./jobs";
import { recordLatencies } from "./latencies";
import { lockKey, openSyncSessions, sessionKey } from "./sessions";

const sessionTtlSeconds = 1_800;
const host = env["REDIS_HOST"] ?? "127.0.0.1";
const port = Number(env["REDIS_PORT"] ?? 6379);

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Handler = (id: string) => Promise<Answer>;

const redis = connect();
const worker = startWorker(connect());
const open = env["SESSIONS"] === "async" ? openAsyncSessions : openSyncSessions;
const sessions = open(host, port);
const expireLatencies = recordLatencies();

const routes: Readonly<Record<string, Handler>> = {
  "POST /login": logIn,
  "GET /session": showSession,
  "POST /job": async (id) => ({ status: 202, body: { queued: await pushJob(redis, id) } }),
  "GET /stats": async () => ({
    status: 200,
    body: { expire: expireLatencies.summary(), jobsDone: worker.done() },
  }),
};

const server = createServer((request, response) => {
  answer(request).then(
    (result) => send(response, result),
    (error: Error) => send(response, { status: 500, body: { error: error.message } }),
  );
});

server.listen(Number(env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(sessions.says);
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void worker.stop().then(() => {
    sessions.close();
    process.exit(0);
  });
});

function connect(): Redis {
  const connection = new Redis({ host, port });
  connection.on("error", (error) => console.error(`redis: ${error.message}`));
  return connection;
}

/** `/session/7` calls the handler of `/session` with "7". */
async function answer(request: IncomingMessage): Promise<Answer> {
  const [, name = "", id = ""] = (request.url ?? "/").split("/");
  const handler = routes[`${request.method} /${name}`];
  return handler === undefined ? { status: 404, body: { error: "no such route" } } : handler(id);
}

async function logIn(id: string): Promise<Answer> {
  await redis.set(sessionKey(id), `user ${id}`);
  await expireLatencies.measure(() => redis.expire(sessionKey(id), sessionTtlSeconds));
  await redis.del(lockKey(id));
  await redis.rpush(lockKey(id), "token");
  return { status: 201, body: { id } };
}

/** Looks the session up, and prolongs it. */
async function showSession(id: string): Promise<Answer> {
  const session = await sessions.check(id);
  if (session.kind !== "found") {
    return { status: session.kind === "busy" ? 503 : 404, body: { error: session.kind } };
  }
  const [ttlSeconds] = await Promise.all([
    redis.ttl(sessionKey(id)),
    expireLatencies.measure(() => redis.expire(sessionKey(id), sessionTtlSeconds)),
  ]);
  return { status: 200, body: { user: session.user, ttlSeconds } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
