// amqplib 0.10 to 2 (promises and callbacks, channels and confirm channels), and what builds on it:
// seen through the frames that it writes and reads. Application thread.
//
// As with ioredis, none of the functions replaced here stands in the stack of an error that the
// application may print, or of one of its callbacks: they run beside those, not around them. The
// exception is an error over a frame that breaks the protocol, which ends the connection.
// https://github.com/amqp-node/amqplib/blob/v2.3.1/lib/connection.js
// https://github.com/amqp-node/amqplib/blob/v2.3.1/lib/mux.js

import { countFault, guard } from "../base/guard";
import { type AmqpRecorder, amqpIds } from "./amqp-records";
import type { Frame, FrameBuffer } from "./amqplib-channel";
import { type AmqplibConnection, AmqplibConnectionTap } from "./amqplib-connection";
import { methodOwner } from "./shapes";
import type { Adapter, Taps } from "./taps";
import { isWrapped, type Restore, replaceFunction } from "./wrap";

const library = "amqplib";
const tapKey = Symbol("loophound.tap");

type TappedConnection = AmqplibConnection & { [tapKey]?: AmqplibConnectionTap };

export const amqplibAdapter: Adapter = {
  targets(taps) {
    const copies = createCopies(taps);
    return [
      {
        suffix: "/lib/connection.js",
        adapt: (exports) => {
          const prototype = prototypeOf(taps, exports, "Connection", connectionMethods);
          if (prototype !== null) hookConnection(copies, prototype);
        },
      },
      {
        suffix: "/lib/mux.js",
        adapt: (exports) => {
          const prototype = prototypeOf(taps, exports, "Mux", muxMethods);
          if (prototype !== null) hookMux(copies, prototype);
        },
      },
    ];
  },
  shapes(taps) {
    const copies = createCopies(taps);
    return [
      {
        methods: connectionMethods,
        hook(prototype) {
          const owner = methodOwner(prototype, connectionMethods[0]);
          if (owner !== null) hookConnection(copies, owner, hookMuxOf);
        },
        adopt(connection) {
          hookMuxOf(copies, connection as TappedConnection);
          take(copies, recorderOf(copies), connection as TappedConnection);
        },
      },
    ];
  },
};

const createCopies = (taps: Taps): Copies => ({ taps, taken: new WeakMap(), recorder: null });

/** In a bundle the class of multiplexers shows in the first of them. */
function hookMuxOf(copies: Copies, { muxer }: TappedConnection): void {
  const owner = methodOwner(muxer, "pipeFrom");
  if (owner !== null && methodOwner(owner, "_scheduleRead") !== null) hookMux(copies, owner);
}

/** What all installed copies of the library share. */
interface Copies {
  readonly taps: Taps;
  /** Connections by their multiplexer. */
  readonly taken: WeakMap<object, AmqplibConnectionTap>;
  recorder: AmqpRecorder | null;
}

const connectionMethods = ["startHeartbeater", "recvFrame", "checkSend", "checkRecv"] as const;
const muxMethods = ["pipeFrom", "_scheduleRead"] as const;

/**
 * The prototype of amqplib's class. Other packages have files of these names, and one that lacks the
 * first method is theirs; one that lacks another is of a version that is not known, which is told.
 */
function prototypeOf(
  taps: Taps,
  exports: unknown,
  name: string,
  methods: readonly string[],
): object | null {
  const classes = exports as Record<string, { readonly prototype?: unknown } | undefined> | null;
  const prototype = classes?.[name]?.prototype;
  if (typeof prototype !== "object" || prototype === null) return null;
  const has = (method: string): boolean => typeof Reflect.get(prototype, method) === "function";
  if (!has(methods[0] ?? "")) return null;
  if (methods.every(has)) return prototype;
  taps.onUnfit?.(library);
  return null;
}

function recorderOf(copies: Copies): AmqpRecorder {
  const { ledger, now, registry, keep } = copies.taps;
  if (copies.recorder !== null) return copies.recorder;
  const recorder = { ledger, now, ids: amqpIds(registry), isStopped: false };
  copies.recorder = recorder;
  keep(() => {
    recorder.isStopped = true;
  });
  return recorder;
}

interface Methods {
  startHeartbeater(this: TappedConnection): unknown;
  recvFrame(this: TappedConnection): Frame | false;
  checkSend(this: TappedConnection): boolean;
  checkRecv(this: TappedConnection): boolean;
  pipeFrom(this: Mux, buffer: FrameBuffer): unknown;
  _scheduleRead(this: Mux): unknown;
}

interface StreamList {
  push(buffer: FrameBuffer): number;
}

/** The part of amqplib's multiplexer that is read. */
interface Mux {
  readonly newStreams: StreamList;
  readonly oldStreams: StreamList;
}

function hookConnection(
  copies: Copies,
  prototype: object,
  beforeTaking: (copies: Copies, connection: TappedConnection) => void = () => undefined,
): void {
  const { taps } = copies;
  const recorder = recorderOf(copies);
  const restores = [
    // The last step of the handshake: everything is negotiated, and no channel has been made.
    replaceFunction<Methods["startHeartbeater"]>(prototype, "startHeartbeater", (start) => {
      return function (this: TappedConnection) {
        guard("instrument", () => beforeTaking(copies, this), undefined);
        guard("instrument", () => take(copies, recorder, this), undefined);
        return start.call(this);
      };
    }),
    replaceFunction<Methods["recvFrame"]>(prototype, "recvFrame", (receive) => {
      return function (this: TappedConnection) {
        const tap = this[tapKey];
        return tap === undefined || tap.isReading
          ? receive.call(this)
          : receiveWith(tap, this, receive);
      };
    }),
    replaceFunction<Methods["checkSend"]>(prototype, "checkSend", (check) => {
      return function (this: TappedConnection) {
        const hasSent = check.call(this);
        guard("instrument", () => this[tapKey]?.beats(hasSent), undefined);
        return hasSent;
      };
    }),
    replaceFunction<Methods["checkRecv"]>(prototype, "checkRecv", (check) => {
      return function (this: TappedConnection) {
        const hasReceived = check.call(this);
        guard("instrument", () => this[tapKey]?.listens(hasReceived), undefined);
        return hasReceived;
      };
    }),
  ];
  keepAll(taps, restores);
  if (!restores.includes(null)) taps.onHooked(library);
}

/**
 * The multiplexer puts a stream back into its list of streams right after it has written a frame of
 * it: that is when a frame counts as sent. Its reading of the stream would be a plainer sign, but
 * runs listeners of the application's ("drain").
 */
function hookMux({ taps, taken }: Copies, prototype: object): void {
  keepAll(taps, [
    replaceFunction<Methods["pipeFrom"]>(prototype, "pipeFrom", (pipeFrom) => {
      return function (this: Mux, buffer) {
        const opened = (): void => {
          const tap = taken.get(this);
          tap?.opened(buffer);
          if (tap !== undefined) watchStreams(this.oldStreams, tap);
        };
        guard("instrument", opened, undefined);
        return pipeFrom.call(this, buffer);
      };
    }),
    replaceFunction<Methods["_scheduleRead"]>(prototype, "_scheduleRead", (schedule) => {
      return function (this: Mux) {
        const tap = taken.get(this);
        // A new list each time that the socket was full.
        if (tap !== undefined && !Object.hasOwn(this.newStreams, "push")) {
          guard("instrument", () => watchStreams(this.newStreams, tap), undefined);
        }
        return schedule.call(this);
      };
    }),
  ]);
}

function watchStreams(streams: StreamList, tap: AmqplibConnectionTap): void {
  replaceFunction<StreamList["push"]>(streams, "push", (push) => {
    return function (this: StreamList, buffer) {
      try {
        tap.sends(buffer);
      } catch (error) {
        countFault("instrument", error);
      }
      return push.call(this, buffer);
    };
  });
}

function keepAll(taps: Taps, restores: readonly (Restore | null)[]): void {
  for (const restore of restores) if (restore !== null) taps.keep(restore);
}

function take(copies: Copies, recorder: AmqpRecorder, connection: TappedConnection): void {
  if (recorder.isStopped || connection[tapKey] !== undefined) return;
  // Without the multiplexer nothing would tell of its channels.
  if (!isWrapped(Reflect.get(connection.muxer, "pipeFrom"))) return;
  copies.taps.onClient();
  const tap = new AmqplibConnectionTap(copies.taps, recorder, connection);
  // Not enumerable: an application may print its connection.
  Object.defineProperty(connection, tapKey, { value: tap });
  copies.taken.set(connection.muxer, tap);
}

function receiveWith(
  tap: AmqplibConnectionTap,
  connection: TappedConnection,
  receive: Methods["recvFrame"],
): Frame | false {
  tap.isReading = true;
  try {
    const frame = receive.call(connection);
    if (frame !== false) report(tap, frame);
    return frame;
  } finally {
    tap.isReading = false;
  }
}

function report(tap: AmqplibConnectionTap, frame: Frame): void {
  try {
    tap.receives(frame);
  } catch (error) {
    countFault("instrument", error);
  }
}
