// The records of one AMQP channel, whichever library it belongs to. Application thread, a few times
// per message: no allocation but what tag-window grows by, no closure, no promise.
//
// AMQP allows one request in flight on a channel; messages, confirms and acknowledgements go on
// beside it, and are told apart by their tags.

import { type LedgerWriter, type Outcome, outcome } from "../base/ledger";
import { amqpEvents, amqpRequests, passiveNames } from "../model/amqp-methods";
import type { Registry } from "./registry";
import { TagWindow } from "./tag-window";

const noSequence = 0;

export interface AmqpRecorder {
  readonly ledger: LedgerWriter;
  readonly now: () => number;
  readonly ids: AmqpIds;
  /** From then on nothing new is recorded; what is open still settles. */
  isStopped: boolean;
}

export interface AmqpIds {
  /** By method number; undefined for what is not a request. */
  readonly requests: ReadonlyMap<number, number>;
  readonly passive: ReadonlyMap<number, number>;
  readonly publish: number;
  readonly publishConfirmed: number;
  readonly deliver: number;
  readonly heartbeat: number;
}

/** Called once, when the first library is found: an application without AMQP has none of the names. */
export function amqpIds(registry: Registry): AmqpIds {
  const idsOf = (names: ReadonlyMap<number, string>): ReadonlyMap<number, number> =>
    new Map([...names].map(([method, name]) => [method, registry.nameId(name)]));
  return {
    requests: idsOf(amqpRequests),
    passive: idsOf(passiveNames),
    publish: registry.nameId(amqpEvents.publish),
    publishConfirmed: registry.nameId(amqpEvents.publishConfirmed),
    deliver: registry.nameId(amqpEvents.deliver),
    heartbeat: registry.nameId(amqpEvents.heartbeat),
  };
}

export class AmqpChannelRecords {
  private readonly recorder: AmqpRecorder;
  private readonly connectionId: number;
  /**
   * Requests and messages that the client holds, by the number of their last piece. The record of a
   * message that nobody will confirm stands there negated: it is settled when it is sent.
   */
  private readonly held = new TagWindow();
  private readonly unconfirmed = new TagWindow();
  private readonly unacknowledged = new TagWindow();
  private pieces = 0;
  private sentPieces = 0;
  private published = 0;
  private unconfirmedCount = 0;
  private inFlight = noSequence;

  constructor(recorder: AmqpRecorder, connectionId: number) {
    this.recorder = recorder;
    this.connectionId = connectionId;
  }

  /** A request that waits for those before it: its record, 0 if there is none. */
  queued(commandId: number, ahead: number): number {
    const { recorder } = this;
    if (recorder.isStopped) return noSequence;
    return recorder.ledger.open(commandId, this.connectionId, ahead, recorder.now());
  }

  /** A request was handed to the channel and is in flight; `record` is what `queued` gave, or 0. */
  request(commandId: number, record: number): number {
    this.inFlight = this.wrote(record === noSequence ? this.queued(commandId, 0) : record);
    return this.inFlight;
  }

  /** A close was handed to the channel, which may happen beside a request; its record. */
  closing(commandId: number): number {
    return this.wrote(this.queued(commandId, 0));
  }

  /** A message was handed to the channel, or its first piece; `isConfirmed` in confirm mode. */
  publish(isConfirmed: boolean): void {
    this.pieces++;
    if (isConfirmed) this.published++;
    const { recorder, held, unconfirmed, pieces, published } = this;
    if (recorder.isStopped) return;
    if (!held.hasRoom(pieces) || (isConfirmed && !unconfirmed.hasRoom(published))) {
      recorder.ledger.drop();
      return;
    }
    const { ids, ledger } = recorder;
    const id = isConfirmed ? ids.publishConfirmed : ids.publish;
    const record = ledger.open(id, this.connectionId, this.unconfirmedCount, recorder.now());
    held.put(pieces, isConfirmed ? record : -record);
    if (!isConfirmed) return;
    unconfirmed.put(published, record);
    this.unconfirmedCount++;
  }

  /** One more piece of the message that was published last. */
  publishMore(): void {
    const entry = this.held.take(this.pieces);
    this.pieces++;
    if (entry !== noSequence && this.held.hasRoom(this.pieces)) this.held.put(this.pieces, entry);
  }

  /** Something else was handed to the channel. */
  other(): void {
    this.pieces++;
  }

  /** All but the newest `waiting` pieces were handed to the socket. */
  sentAllBut(waiting: number): void {
    const last = this.pieces - waiting;
    if (this.sentPieces >= last) return;
    const atMs = this.recorder.now();
    while (this.sentPieces < last) {
      const entry = this.held.take(++this.sentPieces);
      if (entry !== noSequence) this.sent(entry, atMs);
    }
  }

  /** The request in flight has its answer. */
  answered(how: Outcome): void {
    this.settle(this.inFlight, how);
    this.inFlight = noSequence;
  }

  /** The broker's word on a message, or on all up to it. */
  confirmed(tag: number, isMultiple: boolean, how: Outcome): void {
    if (!isMultiple) {
      this.settleConfirmed(this.unconfirmed.take(tag), how, this.recorder.now());
      return;
    }
    const atMs = this.recorder.now();
    this.unconfirmed.takeUpTo(tag, (record) => this.settleConfirmed(record, how, atMs));
  }

  /** The record of the message with that tag, whose confirm the caller will hear of; 0 if there is none. */
  claimUnconfirmed(tag: number): number {
    const record = this.unconfirmed.take(tag);
    if (record !== noSequence) this.unconfirmedCount--;
    return record;
  }

  /** A complete message that must be acknowledged was given to the application. */
  delivered(tag: number): void {
    const { recorder, unacknowledged, connectionId } = this;
    if (recorder.isStopped) return;
    if (!unacknowledged.hasRoom(tag)) {
      recorder.ledger.drop();
      return;
    }
    const atMs = recorder.now();
    const record = recorder.ledger.open(recorder.ids.deliver, connectionId, 0, atMs);
    recorder.ledger.sent(record, connectionId, atMs);
    unacknowledged.put(tag, record);
  }

  /** The application's word on a message, or on all up to it; tag 0 stands for all. */
  acknowledged(tag: number, isMultiple: boolean, how: Outcome): void {
    if (!isMultiple) {
      this.settle(this.unacknowledged.take(tag), how);
      return;
    }
    const last = tag === 0 ? Number.MAX_SAFE_INTEGER : tag;
    const atMs = this.recorder.now();
    this.unacknowledged.takeUpTo(last, (record) => this.recorder.ledger.close(record, atMs, how));
  }

  /** The channel is gone, and with it whatever is open. */
  ended(): void {
    const { ledger, now } = this.recorder;
    const atMs = now();
    this.answered(outcome.flushed);
    this.held.takeAll((entry) => ledger.close(Math.abs(entry), atMs, outcome.flushed));
    this.unconfirmed.takeAll((record) => this.settleConfirmed(record, outcome.flushed, atMs));
    this.unacknowledged.takeAll((record) => ledger.close(record, atMs, outcome.flushed));
  }

  settle(record: number, how: Outcome): void {
    if (record !== noSequence) this.recorder.ledger.close(record, this.recorder.now(), how);
  }

  /** A piece with a record, which finds its place among those that are held. */
  private wrote(record: number): number {
    this.pieces++;
    if (record !== noSequence && this.held.hasRoom(this.pieces)) {
      this.held.put(this.pieces, record);
    }
    return record;
  }

  private sent(entry: number, atMs: number): void {
    const { ledger } = this.recorder;
    ledger.sent(Math.abs(entry), this.connectionId, atMs);
    if (entry < 0) ledger.close(-entry, atMs, outcome.replied);
  }

  private settleConfirmed(record: number, how: Outcome, atMs: number): void {
    if (record === noSequence) return;
    this.unconfirmedCount--;
    this.recorder.ledger.close(record, atMs, how);
  }
}
