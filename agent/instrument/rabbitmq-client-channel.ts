// One channel of rabbitmq-client, seen through the collections in its state and the stream that it
// writes to. Application thread, a few times per message.
//
// The library keeps a deferred for each request and each message that awaits its confirm, an object of
// its own making with the two functions that settle a promise. Those two are replaced on the deferred;
// the promise itself is not touched.
// https://github.com/cody-greene/node-rabbitmq-client/blob/v5.0.8/src/Channel.ts

import { countFault, guard } from "../base/guard";
import { type Outcome, outcome } from "../base/ledger";
import { setTimeout as later } from "../base/timers";
import { amqpMethod } from "../model/amqp-methods";
import { endReason } from "./amqp-close";
import { AmqpChannelRecords, type AmqpRecorder } from "./amqp-records";
import type { RabbitLink } from "./rabbitmq-client-link";
import { replaceFunction, swapFunction } from "./wrap";

const room = "instrument";
const noRecord = 0;
/** Of the library's channel modes: after confirm.select. */
const confirmMode = 2;
/** While the socket does not take what was written, it is looked at this often. */
const heldLookMs = 10;

const noteKey = Symbol("loophound.note");

/** What we know of a frame that the library is about to write; it lies on the frame's iterator. */
export interface FrameNote {
  /** Of a request; undefined for an acknowledgement. */
  readonly commandId: number | undefined;
  readonly isWithoutAck: boolean;
  readonly tag: number;
  readonly isMultiple: boolean;
  readonly how: Outcome;
  record: number;
}

export type FrameIterator = object & { [noteKey]?: FrameNote };

export function noteFrame(frame: FrameIterator, note: FrameNote): void {
  frame[noteKey] = note;
}

type Settle = (value: unknown) => unknown;

interface Deferred {
  resolve: Settle;
  reject: Settle;
  [followedKey]?: Followed;
}
const followedKey = Symbol("loophound.followed");

/** What a deferred that is followed stands for, and its own two functions. */
interface Followed {
  readonly tap: RabbitChannelTap;
  readonly record: number;
  readonly isWithoutAck: boolean;
  readonly resolve: Settle;
  readonly reject: Settle;
}

type Request = readonly [Deferred, number, number, FrameIterator?];

interface EncoderStream {
  readonly writableLength: number;
  write(frame: FrameIterator, callback: unknown): boolean;
  writeAsync(frames: object): unknown;
}

interface RpcBuffer {
  readonly length: number;
  push(request: Request): number;
}

/** The part of the library's channel that is read. */
export interface RabbitChannel {
  readonly _state: {
    readonly stream: EncoderStream;
    readonly rpcBuffer: RpcBuffer;
    readonly rpc?: Request | undefined;
    readonly unconfirmed: Map<number, Deferred>;
    readonly consumers: Map<unknown, unknown>;
    readonly mode: number;
    readonly cleared: boolean;
    readonly incoming?: {
      readonly methodFrame?: {
        readonly methodId?: number;
        readonly params?: { readonly deliveryTag?: unknown };
      };
    };
  };
}

/** Whether everything is there that is replaced or read. */
export function fitsChannel(candidate: RabbitChannel): boolean {
  const { stream, rpcBuffer, unconfirmed, consumers, cleared } = candidate._state ?? {};
  return (
    typeof stream?.write === "function" &&
    typeof stream.writeAsync === "function" &&
    typeof stream.writableLength === "number" &&
    Array.isArray(rpcBuffer) &&
    unconfirmed instanceof Map &&
    consumers instanceof Map &&
    typeof cleared === "boolean"
  );
}

export class RabbitChannelTap {
  private readonly records: AmqpChannelRecords;
  private readonly link: RabbitLink;
  private readonly channel: RabbitChannel;
  private readonly onClosedByServer: (code: string) => void;
  private readonly withoutAck = new Set<unknown>();
  /** Of the message that is coming in. */
  private deliveryTag = 0;
  private isLooking = false;

  constructor(
    recorder: AmqpRecorder,
    link: RabbitLink,
    channel: RabbitChannel,
    onClosedByServer: (code: string) => void,
  ) {
    this.records = new AmqpChannelRecords(recorder, link.id);
    this.link = link;
    this.channel = channel;
    this.onClosedByServer = onClosedByServer;
  }

  /** Of a channel that has sent nothing yet. */
  watch(): void {
    const tap = this;
    const { stream, rpcBuffer, unconfirmed, consumers } = this.channel._state;
    replaceFunction<RpcBuffer["push"]>(rpcBuffer, "push", (push) => {
      return function (this: RpcBuffer, request) {
        guard(room, () => tap.waits(request, this.length), undefined);
        return push.call(this, request);
      };
    });
    replaceFunction<EncoderStream["write"]>(stream, "write", (write) => {
      return function (this: EncoderStream, frame, callback) {
        try {
          tap.writes(frame);
        } catch (error) {
          countFault(room, error);
        }
        tap.link.isWriting = true;
        const isReady = write.call(this, frame, callback);
        tap.hasWritten();
        return isReady;
      };
    });
    replaceFunction<EncoderStream["writeAsync"]>(stream, "writeAsync", (write) => {
      return function (this: EncoderStream, frames) {
        tap.publishes();
        tap.link.isWriting = true;
        const written = write.call(this, frames);
        tap.hasWritten();
        return written;
      };
    });
    replaceFunction<Map<number, Deferred>["set"]>(unconfirmed, "set", (set) => {
      return function (this: Map<number, Deferred>, tag, deferred) {
        tap.awaitsConfirm(tag, deferred);
        return set.call(this, tag, deferred);
      };
    });
    replaceFunction<Map<unknown, unknown>["get"]>(consumers, "get", (get) => {
      return function (this: Map<unknown, unknown>, consumerTag) {
        tap.delivers(consumerTag);
        return get.call(this, consumerTag);
      };
    });
  }

  /** A frame has come for the channel, which has not seen it yet. */
  receives(): void {
    const method = this.channel._state.incoming?.methodFrame;
    const isDelivery = method?.methodId === amqpMethod.basicDeliver;
    this.deliveryTag = isDelivery ? Number(method?.params?.deliveryTag) : 0;
    this.looks();
  }

  ended(): void {
    this.records.ended();
  }

  answers({ record, isWithoutAck }: Followed, answer: unknown): void {
    this.records.settle(record, outcome.replied);
    if (!isWithoutAck) return;
    const { consumerTag } = (answer ?? {}) as { readonly consumerTag?: unknown };
    if (consumerTag !== undefined) this.withoutAck.add(consumerTag);
  }

  /** The broker closed the channel over it, or the channel is gone. */
  refuses({ record }: Followed, reason: unknown): void {
    const isGone = this.channel._state.cleared;
    this.records.settle(record, isGone ? outcome.flushed : outcome.failed);
    const code = isGone ? null : endReason(reason);
    if (code !== null && code !== "NACK") this.onClosedByServer(code);
  }

  private waits(request: Request, waiting: number): void {
    const note = request[3]?.[noteKey];
    if (note?.commandId === undefined) return;
    // One is in flight before those that wait.
    note.record = this.records.queued(note.commandId, waiting + 1);
    this.follow(request[0], note.record, note.isWithoutAck);
  }

  private writes(frame: FrameIterator): void {
    const note = frame[noteKey];
    if (note === undefined) this.records.other();
    else if (note.commandId === undefined) {
      this.records.other();
      this.records.acknowledged(note.tag, note.isMultiple, note.how);
    } else {
      note.record = this.records.request(note.commandId, note.record);
      const deferred = this.channel._state.rpc?.[0];
      if (deferred !== undefined) this.follow(deferred, note.record, note.isWithoutAck);
    }
  }

  private publishes(): void {
    try {
      this.records.publish(this.channel._state.mode === confirmMode);
    } catch (error) {
      countFault(room, error);
    }
  }

  private awaitsConfirm(tag: number, deferred: Deferred): void {
    try {
      const record = this.records.claimUnconfirmed(tag);
      if (record !== noRecord) this.follow(deferred, record, false);
    } catch (error) {
      countFault(room, error);
    }
  }

  private delivers(consumerTag: unknown): void {
    if (this.deliveryTag === 0 || this.withoutAck.has(consumerTag)) return;
    this.records.delivered(this.deliveryTag);
    this.deliveryTag = 0;
  }

  private hasWritten(): void {
    this.link.isWriting = false;
    try {
      this.looks();
    } catch (error) {
      countFault(room, error);
    }
  }

  /** Everything but what the stream still holds is on its way, unless the socket is corked. */
  private looks(): void {
    const isCorked = this.link.isCorked();
    const waiting = this.channel._state.stream.writableLength;
    if (!isCorked) this.records.sentAllBut(waiting);
    const isOver = this.channel._state.cleared || this.link.isGone();
    if ((waiting === 0 && !isCorked) || this.isLooking || isOver) return;
    this.isLooking = true;
    // An alarm may last for hours: all channels wait for its end with one timer.
    if (!this.link.afterAlarm(this.looksAgain)) later(this.looksAgain, heldLookMs).unref();
  }

  private readonly looksAgain = (): void => {
    this.isLooking = false;
    guard(room, () => this.looks(), undefined);
  };

  private follow(deferred: Deferred, record: number, isWithoutAck: boolean): void {
    if (deferred[followedKey] !== undefined) return;
    deferred[followedKey] = {
      tap: this,
      record,
      isWithoutAck,
      resolve: swapFunction<"resolve", Settle>(deferred, "resolve", resolveFollowed),
      reject: swapFunction<"reject", Settle>(deferred, "reject", rejectFollowed),
    };
  }
}

function resolveFollowed(this: Deferred, value: unknown): unknown {
  const followed = this[followedKey] as Followed;
  try {
    followed.tap.answers(followed, value);
  } catch (error) {
    countFault(room, error);
  }
  return followed.resolve(value);
}

function rejectFollowed(this: Deferred, reason: unknown): unknown {
  const followed = this[followedKey] as Followed;
  try {
    followed.tap.refuses(followed, reason);
  } catch (error) {
    countFault(room, error);
  }
  return followed.reject(reason);
}
