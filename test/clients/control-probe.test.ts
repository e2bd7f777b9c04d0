// Control experiments against real servers: what counts as an answer, and what does not.

import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { kill } from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { nowMs } from "../../agent/base/clock";
import type { Experiment, ProbeTarget } from "../../agent/model/experiment";
import { startExperiment } from "../../agent/watchdog/control-probe";
import { freePort } from "../support/free-port";
import { type RabbitServer, startRabbitServer } from "../support/rabbitmq-server";
import { type RedisServer, startRedisServer } from "../support/redis-server";

/** This file runs as dist/test/clients/control-probe.test.js. */
const tlsFixture = join(__dirname, "../../../test/fixtures/tls");

const target = (port: number, changes: Partial<ProbeTarget> = {}): ProbeTarget => ({
  protocol: "redis",
  host: "127.0.0.1",
  port,
  path: null,
  isTls: false,
  ...changes,
});

const run = (to: ProbeTarget) => startExperiment(to, "server", nowMs);

async function until(
  experiment: { view(): Experiment },
  holds: (seen: Experiment) => boolean,
): Promise<Experiment> {
  while (!holds(experiment.view())) await new Promise((resolve) => setTimeout(resolve, 2));
  return experiment.view();
}

const ended = (experiment: { view(): Experiment }): Promise<Experiment> =>
  until(experiment, ({ endedMs }) => endedMs !== null);

function expectInOrder({ startedMs, connectedMs, repliedMs, endedMs }: Experiment): void {
  const times = [startedMs, connectedMs, repliedMs, endedMs].map((time) => Number(time));
  expect(times).toEqual([...times].sort((a, b) => a - b));
}

describe("a real Redis", () => {
  let open: RedisServer;
  let locked: RedisServer;
  let tlsPort: number;
  const socketPath = (): string => join(open.directory, "redis.sock");

  beforeAll(async () => {
    tlsPort = await freePort();
    const key = join(tlsFixture, "key.pem");
    const cert = join(tlsFixture, "cert.pem");
    open = await startRedisServer({ config: ["unixsocket redis.sock"] });
    // By default Redis demands a certificate of its TLS clients; the experiment has none.
    locked = await startRedisServer({
      config: [
        "requirepass secret",
        `tls-port ${tlsPort}`,
        `tls-cert-file ${cert}`,
        `tls-key-file ${key}`,
        `tls-ca-cert-file ${cert}`,
      ],
    });
  }, 60_000);
  afterAll(async () => {
    await Promise.all([open.stop(), locked.stop()]);
  });

  test("answers PING over TCP and over a Unix socket", async () => {
    for (const to of [target(open.port), target(0, { host: null, path: socketPath() })]) {
      const seen = await ended(run(to));
      expect(seen).toMatchObject({ answer: "pong", failure: null });
      expectInOrder(seen);
    }
  });

  test("that demands a password has answered too", async () => {
    expect(await ended(run(target(locked.port)))).toMatchObject({ answer: "error-reply" });
  });

  test("over TLS answers like any other, or with an alert where it demands a certificate", async () => {
    const alert = await ended(run(target(tlsPort, { isTls: true })));
    expect(alert).toMatchObject({ answer: "tls-alert", failure: null });
    expectInOrder(alert);
    await lenient((port) => {
      return expect(ended(run(target(port, { isTls: true })))).resolves.toMatchObject({
        answer: "pong",
      });
    });
  });

  /** A Redis that takes TLS clients as they come. */
  async function lenient(work: (port: number) => Promise<void>): Promise<void> {
    const port = await freePort();
    const [key, cert] = [join(tlsFixture, "key.pem"), join(tlsFixture, "cert.pem")];
    const server = await startRedisServer({
      config: [
        `tls-port ${port}`,
        `tls-cert-file ${cert}`,
        `tls-key-file ${key}`,
        "tls-auth-clients no",
      ],
    });
    try {
      await work(port);
    } finally {
      await server.stop();
    }
  }

  test("that is stopped lets its kernel connect, and answers when it goes on", async () => {
    const stopped = await startRedisServer();
    try {
      kill(stopped.pid, "SIGSTOP");
      const experiment = run(target(stopped.port));
      const waiting = await until(experiment, ({ connectedMs }) => connectedMs !== null);
      expect(waiting).toMatchObject({ repliedMs: null, endedMs: null });
      kill(stopped.pid, "SIGCONT");
      expect(await ended(experiment)).toMatchObject({ answer: "pong" });
    } finally {
      await stopped.stop();
    }
  });
});

describe("a real RabbitMQ", () => {
  let broker: RabbitServer;
  beforeAll(async () => {
    broker = await startRabbitServer();
  }, 120_000);
  afterAll(() => broker.stop());

  test("greets, without credentials; a stopped one lets its kernel connect", async () => {
    const to = target(broker.port, { protocol: "amqp" });
    const seen = await ended(run(to));
    expect(seen).toMatchObject({ answer: "connection-start", failure: null });
    expectInOrder(seen);

    kill(broker.pid, "SIGSTOP");
    const experiment = run(to);
    const waiting = await until(experiment, ({ connectedMs }) => connectedMs !== null);
    expect(waiting).toMatchObject({ repliedMs: null, endedMs: null });
    kill(broker.pid, "SIGCONT");
    expect(await ended(experiment)).toMatchObject({ answer: "connection-start" });
  }, 60_000);
});

describe("no server", () => {
  test("is a failure with its reason, and no answer", async () => {
    const port = await freePort();
    expect(await ended(run(target(port)))).toMatchObject({
      connectedMs: null,
      answer: null,
      failure: "ECONNREFUSED",
    });
  });

  test("but one that hangs up without a word has not answered", async () => {
    const server: Server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const seen = await ended(run(target(port)));
    expect(seen.answer).toBeNull();
    expect(["closed", "ECONNRESET", "EPIPE"]).toContain(seen.failure);
    server.close();
  });
});
