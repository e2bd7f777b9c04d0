// One control experiment: connects to a server, asks it for next to nothing, and notes when its kernel
// and when it itself answered. Watchdog thread, on a socket of its own. It uses no credentials, sends
// one question, and ends with the first bytes that come back.
//
// The time to connect is the path's (and the server's kernel's): a stopped server still accepts until
// its backlog is full. The answer takes the server's own work. Over TLS the handshake is part of it,
// and an alert (no client certificate) is an answer like any other.

import { connect as connectTcp, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { connect as connectTls } from "node:tls";
import type { Answer, Experiment, ProbeTarget } from "../model/experiment";
import { type Ms, ms } from "../model/units";

/** A server that hangs longer than this hangs: the next experiment may begin. */
const timeoutMs = 10_000;

/** As an array and not inline: some proxies know only this form. https://redis.io/docs/latest/develop/reference/protocol-spec/ */
const redisPing = "*1\r\n$4\r\nPING\r\n";
/** AMQP 0-9-1, 4.2.2 Protocol Header: a server answers it with Connection.Start. */
const amqpHeader = Buffer.from("AMQP\0\0\x09\x01", "latin1");

export interface RunningExperiment {
  /** As far as it has come. */
  view(): Experiment;
  /** The watchdog was kept from running for so long, somewhere in the experiment's time. */
  keptFrom(lateMs: Ms): void;
  stop(): void;
}

export function startExperiment(
  target: ProbeTarget,
  server: string,
  nowMs: () => Ms,
): RunningExperiment {
  let state: Experiment = {
    server,
    startedMs: nowMs(),
    connectedMs: null,
    repliedMs: null,
    answer: null,
    endedMs: null,
    failure: null,
    lateMs: ms(0),
  };
  let socket: Socket | null = null;
  const end = (changes: Partial<Experiment>): void => {
    if (state.endedMs !== null) return;
    state = { ...state, ...changes, endedMs: nowMs() };
    clearTimeout(timer);
    socket?.destroy();
  };
  const timer = setTimeout(() => end({ failure: "timeout" }), timeoutMs).unref();
  const answered = (answer: Answer): void => end({ repliedMs: nowMs(), answer });
  try {
    socket = open(target);
    socket.unref();
    socket.once("connect", () => {
      state = { ...state, connectedMs: nowMs() };
    });
    socket.once(target.isTls ? "secureConnect" : "connect", () => void socket?.write(ask(target)));
    socket.once("data", (data: Buffer) => answered(answerIn(data, target)));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (isTlsAnswer(error, state)) answered("tls-alert");
      else end({ failure: error.code ?? "error" });
    });
    socket.once("close", () => end({ failure: "closed" }));
  } catch (error) {
    end({ failure: (error as NodeJS.ErrnoException).code ?? "error" });
  }
  return {
    view: () => state,
    keptFrom(lateMs) {
      if (lateMs > state.lateMs) state = { ...state, lateMs };
    },
    stop: () => end({ failure: "stopped" }),
  };
}

function open({ host, port, path, isTls }: ProbeTarget): Socket {
  const address = path === null ? { host: host ?? "", port: port ?? 0 } : { path };
  // Nothing is sent that a false server could use, so whose certificate it shows does not matter.
  return isTls ? connectTls({ ...address, rejectUnauthorized: false }) : connectTcp(address);
}

const ask = ({ protocol }: ProbeTarget): string | Buffer =>
  protocol === "amqp" ? amqpHeader : redisPing;

function answerIn(data: Buffer, { protocol }: ProbeTarget): Answer {
  const first = data.toString("latin1", 0, 1);
  if (protocol === "amqp") return first === "\x01" ? "connection-start" : "other";
  if (first === "+") return "pong";
  return first === "-" ? "error-reply" : "other";
}

/** OpenSSL's own complaints come after something that the server sent. */
const isTlsAnswer = (error: NodeJS.ErrnoException, { connectedMs }: Experiment): boolean =>
  connectedMs !== null && (error.code?.startsWith("ERR_SSL_") ?? false);
