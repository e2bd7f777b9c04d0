// The commands of one watched thread, from its ledger: feeds the metrics as they settle, and says
// which of them a stall held up.

import type { LedgerEntry, LedgerReader } from "../base/ledger-reader";
import { chargeCommands, type HeldCommand } from "../diagnose/charge";
import { isAnsweredByServer } from "../model/amqp-costs";
import type { CommandRecord } from "../model/command";
import { isConstantCost, isWaiting } from "../model/constant-cost";
import type { HeartbeatExposure, Interval, UnreadReply } from "../model/evidence";
import type { ChargedCommand } from "../model/incident";
import { type Ms, ms } from "../model/units";
import type { CommandHistory } from "./command-history";
import type { Directory } from "./directory";
import type { RoundTrips } from "./round-trips";
import { type SlowCommands, type SlowRecord, serverOf } from "./slow-commands";
import type { UnreadReplyFinder } from "./unread-replies";

/** Commands examined for one stall; more than this at once are charged by their newest. */
const heldMax = 4096;
/** How far a stall's end may be off: a reply read before it was not held up. */
const endErrorMs = 5;

export interface CommandWatchOptions {
  readonly ledger: LedgerReader;
  readonly directory: Directory;
  readonly roundTrips: RoundTrips;
  readonly unreadFinder: UnreadReplyFinder;
  /** Called once for each settled record. */
  readonly onSettled: (entry: LedgerEntry) => void;
  readonly slow: SlowCommands;
  readonly history: CommandHistory;
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
  const unnamed: LedgerEntry[] = [];
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
        ? roundTrips.usualMs(serverOf(record))
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
      for (const entry of unnamed.splice(0)) settled(options, entry, isLoopFree);
      openCount = ledger.poll((entry) => {
        // Shared memory is faster than the message with the names: it is waited for, once.
        if (directory.labels(entry) !== null || unnamed.length >= heldMax) {
          settled(options, entry, isLoopFree);
        } else unnamed.push(entry);
      });
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

function settled(options: CommandWatchOptions, entry: LedgerEntry, isLoopFree: boolean): void {
  const { directory, onSettled, slow } = options;
  onSettled(entry);
  if (entry.repliedMs === null || entry.state !== "replied") return;
  const record = directory.resolve(entry);
  if (!directory.amqp.excuses(record, entry.repliedMs)) slow.add(record, entry.repliedMs);
  if (!isLoopFree || entry.sentMs === null) return;
  if (isWaiting(record.command, record.askedMs)) return;
  if (directory.amqp.isNoMeasure(record, entry.repliedMs)) return;
  learn(options, record, ms(entry.repliedMs - entry.sentMs));
}

const isAnsweredInOrder = ({ connection }: CommandRecord): boolean =>
  connection?.protocol !== "amqp";

/** What is usual, from a command that nothing of ours held up. */
function learn(
  { roundTrips, history }: CommandWatchOptions,
  record: CommandRecord,
  inFlightMs: Ms,
) {
  const server = serverOf(record);
  roundTrips.add(server, inFlightMs);
  if (!isConstantCost(record.command)) history.add(server, record.command, inFlightMs);
}
