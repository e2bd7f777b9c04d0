// One connection of amqplib from the end of its handshake on: its channels, heartbeats, and why it
// ended. Application thread; once per frame that comes.

import { guard } from "../base/guard";
import { outcome } from "../base/ledger";
import { amqpMethod, replyCodeName } from "../model/amqp-methods";
import { ms } from "../model/units";
import { endReason } from "./amqp-close";
import type { AmqpRecorder } from "./amqp-records";
import {
  type AmqplibChannel,
  AmqplibChannelTap,
  type Frame,
  type FrameBuffer,
} from "./amqplib-channel";
import type { Taps } from "./taps";
import { replaceFunction } from "./wrap";

interface Stream {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localPort?: number;
}

type Destroy = (this: unknown, error: unknown, ...rest: unknown[]) => unknown;

interface ChannelEntry {
  readonly channel: AmqplibChannel;
  readonly buffer: FrameBuffer;
}

/** The part of amqplib's connection that is read. */
export interface AmqplibConnection {
  readonly stream: Stream;
  readonly muxer: object;
  /** Negotiated, in seconds; 0: none. */
  readonly heartbeat: number;
  /** By channel number. */
  readonly channels: readonly (ChannelEntry | null | undefined)[];
}

const channelTapKey = Symbol("loophound.channel");
type TappedBuffer = FrameBuffer & { readonly [channelTapKey]?: AmqplibChannelTap };

const connectionChannel = 0;
/** amqplib gives up after two intervals in which nothing came (heartbeat.js). */
const silentIntervalsMax = 2;

export class AmqplibConnectionTap {
  private readonly taps: Taps;
  private readonly recorder: AmqpRecorder;
  private readonly connection: AmqplibConnection;
  private readonly channels: (AmqplibChannelTap | undefined)[] = [];
  private readonly id: number;
  private readonly beatMs: number;
  private lastBeatMs: number;
  private silentIntervals = 0;
  private reason: string | null = null;
  /** Frames are parsed by a function that calls itself. */
  isReading = false;

  constructor(taps: Taps, recorder: AmqpRecorder, connection: AmqplibConnection) {
    this.taps = taps;
    this.recorder = recorder;
    this.connection = connection;
    const { stream, heartbeat } = connection;
    this.id = taps.registry.connectionOpened({
      client: "amqplib",
      protocol: "amqp",
      host: stream.remoteAddress ?? null,
      port: stream.remotePort ?? null,
      localPort: stream.localPort ?? null,
      heartbeatMs: heartbeat > 0 ? ms(heartbeat * 1000) : null,
      openedMs: ms(taps.now()),
    });
    this.beatMs = (heartbeat * 1000) / 2;
    this.lastBeatMs = taps.now();
    const tap = this;
    // Where every stream ends, once. Listeners of ours would be found among the application's, and
    // change the lines of node:events in the stacks of the errors that the client's own make.
    replaceFunction<Destroy>(stream, "_destroy", (destroy) => {
      return function (error, ...rest) {
        guard("instrument", () => tap.closed(error), undefined);
        return destroy.call(this, error, ...rest);
      };
    });
  }

  /** The multiplexer begins to read from `buffer`, which belongs to a channel just made. */
  opened(buffer: FrameBuffer): void {
    const number = this.connection.channels.findIndex((entry) => entry?.buffer === buffer);
    const channel = this.connection.channels[number]?.channel;
    if (channel === undefined || !Array.isArray(channel.pending)) return;
    const tap = new AmqplibChannelTap(this.recorder, this.id, (replyCode) =>
      this.taps.registry.channelClosed(this.id, replyCodeName(replyCode)),
    );
    this.channels[number] = tap;
    // Not enumerable: an application may print its connection.
    Object.defineProperty(buffer, channelTapKey, { value: tap });
    tap.watch(channel, buffer, () => {
      if (this.channels[number] === tap) this.channels[number] = undefined;
    });
  }

  /** The multiplexer has written a frame of this buffer, or is about to read from it. */
  sends(buffer: FrameBuffer): void {
    (buffer as TappedBuffer)[channelTapKey]?.sends(buffer);
  }

  /** A frame has come, and nobody has seen it yet. */
  receives(frame: Frame): void {
    if (frame.channel !== connectionChannel) this.channels[frame.channel]?.receives(frame);
    else if (frame.id === amqpMethod.connectionClose) {
      this.reason = replyCodeName(frame.fields?.["replyCode"]);
    } else if (frame.id === amqpMethod.connectionCloseOk) this.reason = "by-application";
    else if (frame.id === amqpMethod.connectionBlocked) this.blocked(true);
    else if (frame.id === amqpMethod.connectionUnblocked) this.blocked(false);
  }

  /** Twice in each heartbeat; `hasSent`: something was sent since the last time, and no beat is due. */
  beats(hasSent: boolean): void {
    const { taps, recorder } = this;
    const nowMs = taps.now();
    const dueMs = Math.min(nowMs, this.lastBeatMs + this.beatMs);
    this.lastBeatMs = nowMs;
    if (hasSent || recorder.isStopped) return;
    const record = recorder.ledger.open(recorder.ids.heartbeat, this.id, 0, dueMs);
    recorder.ledger.sent(record, this.id, nowMs);
    recorder.ledger.close(record, nowMs, outcome.replied);
  }

  /** Once in each heartbeat; `hasReceived`: something came since the last time. */
  listens(hasReceived: boolean): void {
    this.silentIntervals = hasReceived ? 0 : this.silentIntervals + 1;
    if (this.silentIntervals >= silentIntervalsMax) this.reason ??= "heartbeat-timeout";
  }

  private blocked(isBlocked: boolean): void {
    this.taps.registry.connectionBlocked(this.id, isBlocked, this.taps.now());
  }

  private closed(error: unknown): void {
    this.reason ??= endReason(error);
    this.taps.registry.connectionClosed(this.id, this.taps.now(), this.reason);
  }
}
