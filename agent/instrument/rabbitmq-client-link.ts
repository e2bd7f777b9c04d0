// One socket of a rabbitmq-client connection, which makes a new one when it reconnects: its place in
// the registry, why it ended, and the broker's alarms. Application thread.
//
// In an alarm the library corks the socket until it is over. That is seen there, and not by a listener
// for its event, which the application would find among its own.

import { guard } from "../base/guard";
import { setTimeout as later } from "../base/timers";
import { ms } from "../model/units";
import { endReason } from "./amqp-close";
import type { Taps } from "./taps";
import { replaceFunction } from "./wrap";

const room = "instrument";
/** Of the library's states: closed, because the application wanted it. */
const closedState = 3;
/** While an alarm goes on, it is looked for its end this often. */
const alarmLookMs = 20;

/** Captured before the application can replace it (fake timers do). */
const soon = queueMicrotask;

interface Socket {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localPort?: number;
  /** Stays what it was on a socket that is destroyed. */
  readonly writableCorked?: number;
  readonly destroyed?: boolean;
  cork(): void;
  once(event: "close" | "error", listener: (error?: unknown) => void): unknown;
}

/** The part of the library's connection that is read. */
export interface RabbitConnection {
  readonly _socket: Socket;
  readonly _state: {
    readonly readyState: number;
    readonly heartbeatTimer?: { readonly _repeat?: unknown };
  };
}

export interface RabbitLink {
  readonly id: number;
  /** The library writes, and corks the socket for that moment. */
  isWriting: boolean;
  /** Whether what was written is held back by the library. */
  isCorked(): boolean;
  /** What was held back then never goes out. */
  isGone(): boolean;
  /** Has `then` called once the alarm that goes on is over; false where there is none. */
  afterAlarm(then: () => void): boolean;
}

/** Of a connection that is open: asked when it makes a channel. */
export function openLink({ registry, now }: Taps, connection: RabbitConnection): RabbitLink {
  const socket = connection._socket;
  const id = registry.connectionOpened({
    client: "rabbitmq-client",
    protocol: "amqp",
    host: socket.remoteAddress ?? null,
    port: socket.remotePort ?? null,
    localPort: socket.localPort ?? null,
    heartbeatMs: heartbeatMs(connection),
    openedMs: ms(now()),
  });
  const isCorked = (): boolean => (socket.writableCorked ?? 0) > 0;
  const isGone = (): boolean => socket.destroyed === true;
  const onAlarm = (isBlocked: boolean): void => registry.connectionBlocked(id, isBlocked, now());
  const link: RabbitLink = { id, isWriting: false, isCorked, isGone, afterAlarm: () => false };
  watchCork(socket, link, onAlarm);

  let reason: string | null = null;
  socket.once("error", (error) => {
    reason = endReason(error);
  });
  const closed = (): void => {
    const isWanted = connection._state.readyState === closedState;
    registry.connectionClosed(id, now(), reason ?? (isWanted ? "by-application" : null));
  };
  socket.once("close", () => guard(room, closed, undefined));
  return link;
}

/** The library keeps no number, only a timer that runs twice in each heartbeat. */
function heartbeatMs({ _state }: RabbitConnection) {
  const repeatMs = _state.heartbeatTimer?._repeat;
  return typeof repeatMs === "number" && repeatMs > 0 ? ms(repeatMs * 2) : null;
}

/** One timer for the whole connection while an alarm goes on, which ends with the socket at the latest. */
function watchCork(socket: Socket, link: RabbitLink, onAlarm: (isBlocked: boolean) => void): void {
  let isAlarmed = false;
  const waiting = new Set<() => void>();
  link.afterAlarm = (then) => {
    if (isAlarmed) waiting.add(then);
    return isAlarmed;
  };
  const over = (): void => {
    isAlarmed = false;
    onAlarm(false);
    const told = [...waiting];
    waiting.clear();
    for (const then of told) guard(room, then, undefined);
  };
  const untilOver = (): void => {
    if (link.isCorked() && !link.isGone()) later(untilOver, alarmLookMs).unref();
    else guard(room, over, undefined);
  };
  /** A cork for a write is gone by now. */
  const begin = (): void => {
    if (isAlarmed || !link.isCorked() || link.isGone()) return;
    isAlarmed = true;
    onAlarm(true);
  };
  const look = (): void => {
    const wasAlarmed = isAlarmed;
    guard(room, begin, undefined);
    if (isAlarmed && !wasAlarmed) untilOver();
  };
  replaceFunction<Socket["cork"]>(socket, "cork", (cork) => {
    return function (this: Socket) {
      if (!link.isWriting && !isAlarmed) soon(look);
      cork.call(this);
    };
  });
}
