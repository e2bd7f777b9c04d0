// The commands of one watched thread, from its ledger: feeds the metrics as they settle, and says
// which of them a stall held up.

import type { LedgerEntry } from "../base/ledger-reader";
import { chargeCommands, type HeldCommand } from "../diagnose/charge";
import { isAnsweredByServer } from "../model/amqp-costs";
import type { CommandRecord } from "../model/command";
import type { HeartbeatExposure, Interval, UnreadReply } from "../model/evidence";
import type { ChargedCommand } from "../model/incident";
import type { Ms } from "../model/units";
import { serverLabel } from "./directory";
import { createSettling, type SettlingOptions } from "./settling";
import type { SlowRecord } from "./slow-commands";
import type { UnreadReplyFinder } from "./unread-replies";

/** Commands examined for one stall; more than this at once are charged by their newest. */
const heldMax = 4096;
/** How far a stall's end may be off: a reply read before it was not held up. */
const endErrorMs = 5;

export interface CommandWatchOptions extends SettlingOptions {
  readonly unreadFinder: UnreadReplyFinder;
}

export interface CommandWatch {
  /** Reads what is new in the ledger. */
  poll(isLoopFree: boolean): void;
  /** Records that were open at the last poll. */
  openCount(): number;
  sampleUnread(nowMs: Ms): void;
  unread(): readonly UnreadReply[];
  takeUnread(): readonly UnreadReply[];
  /** Commands that took long and that no stall explains. */
  takeSlow(nowMs: Ms): readonly SlowRecord[];
  stallEnded(interval: Interval): void;
  /** AMQP connections that a stall from then on kept from sending their heartbeats. */
  exposedTo(startMs: Ms): readonly HeartbeatExposure[];
  chargedFor(
    startMs: Ms,
    endMs: Ms,
    nowMs: Ms,
    unread: readonly UnreadReply[],
  ): readonly ChargedCommand[];
}

export function createCommandWatch(options: CommandWatchOptions): CommandWatch {
  const { ledger, directory, roundTrips, unreadFinder } = options;
  const settle = createSettling(options);
  let openCount = 0;

  function held(entry: LedgerEntry, nowMs: Ms, unread: readonly UnreadReply[]): HeldCommand {
    const record = directory.resolve(entry);
    const { host = null, port = null, client = "unknown" } = record.connection ?? {};
    const seen = unread.find((reply) => reply.sequence === entry.sequence);
    return {
      client,
      command: record.command,
      host,
      port,
      calledMs: record.calledMs,
      sentMs: record.sentMs,
      settledMs: record.repliedMs ?? nowMs,
      unreadSeenMs: seen?.seenMs ?? null,
      usualRoundTripMs: isAnsweredByServer(record.command)
        ? roundTrips.usualMs(serverLabel(record.connection))
        : null,
      askedMs: record.askedMs,
    };
  }

  function takeUnread(): readonly UnreadReply[] {
    const found = unreadFinder.found();
    unreadFinder.reset();
    return found;
  }

  return {
    poll(isLoopFree) {
      openCount = settle(isLoopFree);
    },
    openCount: () => openCount,
    sampleUnread(nowMs) {
      // On an AMQP connection, what lies unread may as well be a message or a heartbeat.
      const open = ledger.open().map(directory.resolve).filter(isAnsweredInOrder);
      if (open.length > 0) unreadFinder.sample(nowMs, open);
    },
    unread: () => unreadFinder.found(),
    takeUnread,
    takeSlow: (nowMs) => options.slow.take(nowMs),
    stallEnded: (interval) => options.slow.stallEnded(interval),
    exposedTo: directory.amqp.exposedTo,
    chargedFor(startMs, endMs, nowMs, unread) {
      const entries = ledger.overlapping(startMs, endMs, heldMax);
      const stall = { startMs, endMs };
      const waited = entries.filter(
        (entry) => entry.repliedMs === null || entry.repliedMs >= endMs - endErrorMs,
      );
      return chargeCommands(
        waited.map((entry) => held(entry, nowMs, unread)),
        stall,
      );
    },
  };
}

const isAnsweredInOrder = ({ connection }: CommandRecord): boolean =>
  connection?.protocol !== "amqp";
