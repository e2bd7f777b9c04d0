// One channel of amqplib, seen through its queue of waiting requests, the buffer that it writes
// frames to, and the frames that come for it. Application thread, a few times per message.
//
// From the frames it writes, method number, delivery tag and two flags are read (passive, no-ack);
// from those that come, tags and the name of a consumer, which is kept only where it does not
// acknowledge, and only here.
// https://github.com/amqp-node/amqplib/blob/v2.3.1/lib/channel.js
// https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf (4.2.3 frames, 4.2.5 fields)

import { countFault, guard } from "../base/guard";
import { outcome } from "../base/ledger";
import { amqpMethod } from "../model/amqp-methods";
import { AmqpChannelRecords, type AmqpRecorder } from "./amqp-records";
import { replaceFunction } from "./wrap";

const recordKey = Symbol("loophound.record");
const noRecord = 0;
const room = "instrument";

/** What amqplib keeps of a request that waits. */
interface PendingRequest {
  readonly method: number;
  readonly fields?: { readonly passive?: unknown };
  [recordKey]?: number;
}

interface PendingQueue {
  readonly length: number;
  push(item: PendingRequest): number;
  shift(): PendingRequest | undefined;
}

/** The stream of frames between a channel and the connection's multiplexer. */
export interface FrameBuffer {
  write(chunk: unknown, ...rest: unknown[]): boolean;
  end(...args: unknown[]): unknown;
  /** Frames in it that the multiplexer has not taken, and such that it has not taken in. */
  readonly readableLength: number;
  readonly writableLength: number;
}

/** The part of amqplib's channel that is read. */
export interface AmqplibChannel {
  readonly pending: PendingQueue;
}

/** A frame as amqplib decodes it: of a method, a message's header, or a message's content. */
export interface Frame {
  readonly channel: number;
  readonly id?: number;
  readonly size?: number;
  readonly content?: { readonly length: number };
  readonly fields?: Readonly<Record<string, unknown>>;
}

const frameTypeMethod = 1;
/** Type, channel, size: then class and method id. */
const methodAt = 7;
const argumentsAt = methodAt + 4;
/** Class 60 without a method: the header of a message. */
const headerId = 60;

export class AmqplibChannelTap {
  private readonly recorder: AmqpRecorder;
  private readonly onClosedByServer: (replyCode: unknown) => void;
  private readonly records: AmqpChannelRecords;
  private readonly withoutAck = new Set<unknown>();
  private isConfirming = false;
  private isConsumingWithoutAck = false;
  private fromQueue = noRecord;
  private closeRecord = noRecord;
  private isPublishing = false;
  /** Of the message that is coming in; 0: none, or one that nobody acknowledges. */
  private deliveryTag = 0;
  private contentBytesLeft = 0;

  constructor(
    recorder: AmqpRecorder,
    connectionId: number,
    onClosedByServer: (replyCode: unknown) => void,
  ) {
    this.recorder = recorder;
    this.onClosedByServer = onClosedByServer;
    this.records = new AmqpChannelRecords(recorder, connectionId);
  }

  /** Of a channel that has sent nothing yet. `onEnded` is called when it is given up. */
  watch(channel: AmqplibChannel, buffer: FrameBuffer, onEnded: () => void): void {
    const tap = this;
    replaceFunction<PendingQueue["push"]>(channel.pending, "push", (push) => {
      return function (this: PendingQueue, item) {
        guard(room, () => tap.waits(item, this.length), undefined);
        return push.call(this, item);
      };
    });
    replaceFunction<PendingQueue["shift"]>(channel.pending, "shift", (shift) => {
      return function (this: PendingQueue) {
        const item = shift.call(this);
        tap.leavesQueue(item?.[recordKey] ?? noRecord);
        return item;
      };
    });
    replaceFunction<FrameBuffer["write"]>(buffer, "write", (write) => {
      return function (this: FrameBuffer, chunk, ...rest) {
        try {
          tap.writes(chunk as Buffer);
        } catch (error) {
          countFault(room, error);
        }
        return rest.length === 0 ? write.call(this, chunk) : write.call(this, chunk, ...rest);
      };
    });
    replaceFunction<FrameBuffer["end"]>(buffer, "end", (end) => {
      return function (this: FrameBuffer, ...args) {
        const ended = (): void => {
          tap.ends();
          onEnded();
        };
        guard(room, ended, undefined);
        return end.apply(this, args);
      };
    });
  }

  /** The multiplexer may have handed frames out of `buffer` to the socket. */
  sends({ readableLength, writableLength }: FrameBuffer): void {
    this.records.sentAllBut(readableLength + writableLength);
  }

  /** A frame has come, and the channel has not seen it yet. */
  receives(frame: Frame): void {
    if (frame.id === undefined) this.receivesContent(frame.content?.length ?? 0);
    else if (frame.id === headerId) this.receivesHeader(frame.size ?? 0);
    else this.receivesMethod(frame.id, frame.fields ?? {});
  }

  private receivesMethod(id: number, fields: Readonly<Record<string, unknown>>): void {
    const { records } = this;
    switch (id) {
      case amqpMethod.basicDeliver:
        this.deliveryTag = this.withoutAck.has(fields["consumerTag"])
          ? 0
          : Number(fields["deliveryTag"]);
        return;
      case amqpMethod.basicReturn:
        this.deliveryTag = 0;
        return;
      case amqpMethod.basicAck:
      case amqpMethod.basicNack: {
        const how = id === amqpMethod.basicAck ? outcome.replied : outcome.failed;
        records.confirmed(Number(fields["deliveryTag"]), fields["multiple"] === true, how);
        return;
      }
      case amqpMethod.basicCancel:
        this.withoutAck.delete(fields["consumerTag"]);
        return;
      case amqpMethod.channelClose:
        this.onClosedByServer(fields["replyCode"]);
        records.answered(outcome.failed);
        return;
      case amqpMethod.channelCloseOk:
        records.settle(this.closeRecord, outcome.replied);
        return;
      default:
        this.receivesAnswer(id, fields["consumerTag"]);
    }
  }

  private receivesAnswer(id: number, consumerTag: unknown): void {
    // amqplib ignores what comes after it has sent a close.
    if (this.closeRecord !== noRecord) return;
    if (id === amqpMethod.confirmSelectOk) this.isConfirming = true;
    if (id === amqpMethod.basicConsumeOk && this.isConsumingWithoutAck) {
      this.withoutAck.add(consumerTag);
    }
    if (id === amqpMethod.basicCancelOk) this.withoutAck.delete(consumerTag);
    if (id === amqpMethod.basicGetOk) this.deliveryTag = 0;
    this.records.answered(outcome.replied);
  }

  private receivesHeader(contentBytes: number): void {
    this.contentBytesLeft = contentBytes;
    if (contentBytes === 0) this.messageIsComplete();
  }

  private receivesContent(contentBytes: number): void {
    this.contentBytesLeft -= contentBytes;
    if (this.contentBytesLeft <= 0) this.messageIsComplete();
  }

  private messageIsComplete(): void {
    if (this.deliveryTag > 0) this.records.delivered(this.deliveryTag);
    this.deliveryTag = 0;
  }

  private waits(item: PendingRequest, waiting: number): void {
    const { requests, passive } = this.recorder.ids;
    const names = item.fields?.passive === true ? passive : requests;
    const commandId = names.get(item.method) ?? requests.get(item.method);
    // One is in flight before those that wait.
    if (commandId !== undefined) item[recordKey] = this.records.queued(commandId, waiting + 1);
  }

  /** It is written next, unless the whole queue is given up. */
  private leavesQueue(record: number): void {
    if (this.fromQueue !== noRecord) this.records.settle(this.fromQueue, outcome.flushed);
    this.fromQueue = record;
  }

  private writes(chunk: Buffer): void {
    if (chunk[0] !== frameTypeMethod) {
      if (this.isPublishing) this.records.publishMore();
      else this.records.other();
      return;
    }
    const method = chunk.readUInt32BE(methodAt);
    this.isPublishing = method === amqpMethod.basicPublish;
    if (this.isPublishing) this.records.publish(this.isConfirming);
    else this.writesMethod(method, chunk);
  }

  private writesMethod(method: number, chunk: Buffer): void {
    const { records, recorder, fromQueue } = this;
    this.fromQueue = noRecord;
    if (method === amqpMethod.basicConsume) this.isConsumingWithoutAck = isWithoutAck(chunk);
    const commandId = recorder.ids.requests.get(method);
    if (method === amqpMethod.channelClose && commandId !== undefined) {
      this.closeRecord = records.closing(commandId);
    } else if (commandId !== undefined) {
      const passiveId = isPassive(method, chunk) ? recorder.ids.passive.get(method) : undefined;
      records.request(passiveId ?? commandId, fromQueue);
    } else {
      records.other();
      this.acknowledges(method, chunk);
    }
  }

  private acknowledges(method: number, chunk: Buffer): void {
    const isAck = method === amqpMethod.basicAck;
    const isNack = method === amqpMethod.basicNack;
    if (!isAck && !isNack && method !== amqpMethod.basicReject) return;
    const tag = chunk.readUInt32BE(argumentsAt) * 2 ** 32 + chunk.readUInt32BE(argumentsAt + 4);
    // basic.reject has no such flag: its next bit says whether to queue the message again.
    const isMultiple =
      method !== amqpMethod.basicReject && ((chunk[argumentsAt + 8] ?? 0) & 1) === 1;
    this.records.acknowledged(tag, isMultiple, isAck ? outcome.replied : outcome.failed);
  }

  private ends(): void {
    this.leavesQueue(noRecord);
    this.records.settle(this.closeRecord, outcome.flushed);
    this.records.ended();
  }
}

/** Past a reserved short and so many short strings, each with its length before it. */
function flagsAfter(strings: number, chunk: Buffer): number {
  let at = argumentsAt + 2;
  for (let i = 0; i < strings; i++) at += 1 + (chunk[at] ?? 0);
  return chunk[at] ?? 0;
}

/** queue.declare has its queue's name before the flags, exchange.declare name and type; bit 0 is passive. */
function isPassive(method: number, chunk: Buffer): boolean {
  if (method === amqpMethod.queueDeclare) return (flagsAfter(1, chunk) & 1) === 1;
  return method === amqpMethod.exchangeDeclare && (flagsAfter(2, chunk) & 1) === 1;
}

/** basic.consume: queue, consumer tag, then no-local (bit 0) and no-ack (bit 1). */
const isWithoutAck = (chunk: Buffer): boolean => (flagsAfter(2, chunk) & 2) === 2;
