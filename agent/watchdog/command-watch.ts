// The commands of one watched thread, from its ledger: says which of them a stall held up, and which
// took long without one.

import type { LedgerEntry } from "../base/ledger-reader";
import { chargeCommands, type HeldCommand } from "../diagnose/charge";
import { isAnsweredByServer } from "../model/amqp-costs";
import type { CommandRecord } from "../model/command";
import type { HeartbeatExposure, Interval, UnreadReply } from "../model/evidence";
import type { Experiment } from "../model/experiment";
import type { ChargedCommand } from "../model/incident";
import type { Stall } from "../model/stall";
import type { Ms } from "../model/units";
import type { Claims } from "./claims";
import type { ControlProbes } from "./control-probes";
import { lookAtOpen, nothingOpen, type OpenCommands } from "./open-commands";
import { createReplyLines } from "./reply-lines";
import { createSettling, type SettlingOptions } from "./settling";
import type { SlowEpisode } from "./slow-episodes";
import type { UnreadReplyFinder } from "./unread-replies";

/** Commands examined for one stall; more than this at once are charged by their newest. */
const heldMax = 4096;
/**
 * How far a stall's end may be off: a reply read before it was not held up. The beat that ends a stall comes
 * after what the loop had ready, which on a busy machine takes a while; of a long stall it is little.
 */
const endErrorMs = { least: 5, most: 50, share: 0.1 } as const;

export interface CommandWatchOptions extends Omit<SettlingOptions, "lines"> {
  /** Shared with the slow commands. */
  readonly claims: Claims;
  readonly unreadFinder: UnreadReplyFinder;
  readonly probes: ControlProbes;
}

export interface CommandWatch {
  /** Reads what is new in the ledger, and looks for what is out too long. */
  poll(isLoopFree: boolean, nowMs: Ms): void;
  /** Records that were open at the last poll. */
  openCount(): number;
  /** Something is open that may be out too long at the next look. */
  isWaiting(): boolean;
  sampleUnread(nowMs: Ms): void;
  unread(): readonly UnreadReply[];
  takeUnread(): readonly UnreadReply[];
  /** Commands that took long and that no stall explains; nothing while the loop is blocked. */
  takeSlow(nowMs: Ms): readonly SlowEpisode[];
  stallEnded(interval: Interval): void;
  /** AMQP connections that a stall from then on kept from sending their heartbeats. */
  exposedTo(startMs: Ms): readonly HeartbeatExposure[];
  /** Each command is charged to one stall, however often that one is asked for. */
  chargedFor(stall: Stall, nowMs: Ms, unread: readonly UnreadReply[]): readonly ChargedCommand[];
  /** Control experiments that were under way in that time. */
  experiments(startMs: Ms, endMs: Ms): readonly Experiment[];
}

export function createCommandWatch(options: CommandWatchOptions): CommandWatch {
  const { ledger, directory, unreadFinder, slow, probes } = options;
  const lines = createReplyLines();
  const settle = createSettling({ ...options, lines });
  let openCount = 0;
  let open: OpenCommands = nothingOpen;
  let isFree = true;

  function takeUnread(): readonly UnreadReply[] {
    const found = unreadFinder.found();
    unreadFinder.reset();
    return found;
  }

  return {
    poll(isLoopFree, nowMs) {
      isFree = isLoopFree;
      openCount = settle(isLoopFree);
      const look = { ledger, directory, lines, probes, thresholdMs: slow.thresholdMs };
      open = openCount === 0 ? nothingOpen : lookAtOpen(look, nowMs, isLoopFree);
    },
    openCount: () => openCount,
    isWaiting: () => open.isWaiting,
    sampleUnread(nowMs) {
      // On an AMQP connection, what lies unread may as well be a message or a heartbeat.
      const waiting = ledger.open().map(directory.resolve).filter(isAnsweredInOrder);
      if (waiting.length > 0) unreadFinder.sample(nowMs, waiting);
    },
    unread: () => unreadFinder.found(),
    takeUnread,
    takeSlow: (nowMs) => (isFree ? slow.take(nowMs, open.tooLong) : []),
    stallEnded: (interval) => slow.stallEnded(interval),
    exposedTo: directory.amqp.exposedTo,
    chargedFor: (stall, nowMs, unread) => chargedFor(options, stall, nowMs, unread),
    experiments: (startMs, endMs) => probes.during(startMs, endMs),
  };
}

const isAnsweredInOrder = ({ connection }: CommandRecord): boolean =>
  connection?.protocol !== "amqp";

function chargedFor(
  options: CommandWatchOptions,
  stall: Stall,
  nowMs: Ms,
  unread: readonly UnreadReply[],
): readonly ChargedCommand[] {
  const { claims } = options;
  const { startMs } = stall;
  const endMs = stall.endMs ?? nowMs;
  const entries = options.ledger
    .overlapping(startMs, endMs, heldMax)
    .filter(({ repliedMs }) => wasHeldBy(stall, repliedMs))
    .filter(({ sequence }) => claims.isFreeFor(sequence, stall.id));
  const others = options.slow.stalls().filter((other) => other.endMs <= startMs);
  const stalls = [...others, { startMs, endMs }];
  return chargeCommands(
    entries.map((entry) => held(options, entry, stalls, nowMs, unread)),
    (sequence) => claims.claim(sequence, stall.id),
  );
}

/**
 * Answered before a stall's end, it was not held up; not answered in the moment of grace after it, it
 * waits for somebody else, however long the stall was. While the stall goes on, it may be what holds it.
 */
function wasHeldBy({ startMs, endMs }: Stall, repliedMs: Ms | null): boolean {
  if (endMs === null) return repliedMs === null;
  const { least, most, share } = endErrorMs;
  const errorMs = Math.min(Math.max((endMs - startMs) * share, least), most);
  return repliedMs !== null && repliedMs >= endMs - errorMs;
}

/** One command of a stall; the last of `stalls` is that one. */
function held(
  { directory, facts }: CommandWatchOptions,
  entry: LedgerEntry,
  stalls: readonly Interval[],
  nowMs: Ms,
  unread: readonly UnreadReply[],
): HeldCommand {
  const record = directory.resolve(entry);
  const { command, calledMs, sentMs, askedMs, connection } = record;
  const { host = null, port = null, client = "unknown" } = connection ?? {};
  const settledMs = record.repliedMs ?? nowMs;
  const seen = unread.find((reply) => reply.sequence === entry.sequence);
  const isAnswered = isAnsweredByServer(command);
  return {
    sequence: entry.sequence,
    client,
    command,
    host,
    port,
    calledMs,
    sentMs,
    settledMs,
    askedMs,
    unreadSeenMs: seen?.seenMs ?? null,
    usualRoundTripMs: isAnswered ? facts.usualMs(record) : null,
    stalls: stalls.filter((one) => one.startMs < settledMs && one.endMs > calledMs),
    behind: [],
    finding: isAnswered ? facts.findingOf(record, settledMs, stalls) : null,
  };
}
