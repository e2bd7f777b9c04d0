// Divides the latency of the commands that a stall held up into parts that add up to it. Pure.
//
// A reply that lies in the kernel while nobody reads it is the loop's time. When it arrived is
// known at best from the receive queue (proof), else estimated by the usual round trip to that
// server. What neither assigns stays unknown.

import type { CommandRecord } from "../model/command";
import { isWaiting, serverTimerMs } from "../model/constant-cost";
import type { Blame, ChargedCommand } from "../model/incident";
import type { Ms } from "../model/units";
import { roundMs } from "./rule";

/** One command that overlaps a stall, with names resolved. */
export interface HeldCommand {
  readonly client: string;
  readonly command: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly calledMs: Ms;
  readonly sentMs: Ms | null;
  /** When it settled, or now if it is still open. */
  readonly settledMs: Ms;
  /** First sample that saw its reply unread; null if none did. */
  readonly unreadSeenMs: Ms | null;
  /** Usual time from sent to replied on that server while the loop is free; null if not known. */
  readonly usualRoundTripMs: Ms | null;
  /** As in CommandRecord. */
  readonly askedMs: Ms | null;
}

interface StallInterval {
  readonly startMs: Ms;
  readonly endMs: Ms;
}

/** Replies read within this of a stall's end had been waiting for it. */
const catchUpMs = 40;
/** Less than this of a command's time is not worth a line. */
const chargedFromMs = 1;

const overlap = (startMs: number, endMs: number, stall: StallInterval): number =>
  Math.max(0, Math.min(endMs, stall.endMs) - Math.max(startMs, stall.startMs));

/** The parts of one command's latency; they add up to it exactly. */
export function blameFor(command: HeldCommand, stall: StallInterval): Blame {
  const sentMs = command.sentMs ?? command.settledMs;
  const queueLoopMs = overlap(command.calledMs, sentMs, stall);
  const queueMs = sentMs - command.calledMs - queueLoopMs;
  const waitMs = command.settledMs - sentMs;
  const readyMs = readyAt(command, stall, sentMs);
  const replyLoopMs = readyMs === null ? 0 : Math.max(0, command.settledMs - readyMs);
  const restMs = waitMs - replyLoopMs;
  const intendedMs = isWaiting(command.command, command.askedMs)
    ? Math.min(restMs, command.askedMs ?? restMs)
    : 0;
  return {
    queueMs,
    networkMs: 0,
    serverMs: 0,
    loopMs: queueLoopMs + replyLoopMs,
    intendedMs,
    unknownMs: restMs - intendedMs,
  };
}

/** When the reply could have been read but was not; null where nothing says that it was there. */
function readyAt(command: HeldCommand, stall: StallInterval, sentMs: number): number | null {
  if (sentMs >= stall.endMs || command.settledMs <= stall.startMs) return null;
  const { unreadSeenMs, usualRoundTripMs, askedMs } = command;
  // A reply that had been there when the stall ended would have been read soon after.
  const isEstimable = command.settledMs <= stall.endMs + catchUpMs;
  const waitsMs = isWaiting(command.command, askedMs)
    ? (askedMs ?? Number.POSITIVE_INFINITY) + serverTimerMs
    : 0;
  const answeredMs = sentMs + waitsMs + (usualRoundTripMs ?? Number.POSITIVE_INFINITY);
  const usualMs = isEstimable && Number.isFinite(answeredMs) ? answeredMs : null;
  const estimates = [unreadSeenMs, usualMs].filter((estimate) => estimate !== null);
  if (estimates.length === 0) return null;
  // Before the stall began, the loop would have read it; and nothing is ready before it is sent.
  return Math.max(stall.startMs, sentMs, Math.min(...estimates));
}

const total = (blame: Blame): number =>
  blame.queueMs +
  blame.networkMs +
  blame.serverMs +
  blame.loopMs +
  blame.intendedMs +
  blame.unknownMs;

/** Commands that paid for the stall, by client, command and server, dearest first. */
export function chargeCommands(
  held: readonly HeldCommand[],
  stall: StallInterval,
): readonly ChargedCommand[] {
  const charged = new Map<string, ChargedCommand>();
  for (const command of held) {
    const blame = blameFor(command, stall);
    if (blame.loopMs < chargedFromMs) continue;
    const { client, command: name, host, port } = command;
    const key = `${client} ${name} ${host}:${port}`;
    const before = charged.get(key);
    const isSlowest = before === undefined || total(blame) > before.maxMs;
    const slowest = isSlowest ? { maxMs: total(blame), blame } : before;
    charged.set(key, {
      client,
      command: name,
      host,
      port,
      count: (before?.count ?? 0) + 1,
      maxMs: slowest.maxMs,
      blame: slowest.blame,
    });
  }
  return [...charged.values()].map(rounded).sort((a, b) => b.blame.loopMs - a.blame.loopMs);
}

/** One command with its blame, as an incident lists it. */
export function chargeOne(record: CommandRecord, blame: Blame): ChargedCommand {
  const { host = null, port = null, client = "unknown" } = record.connection ?? {};
  return rounded({
    client,
    command: record.command,
    host,
    port,
    count: 1,
    maxMs: total(blame),
    blame,
  });
}

/** Rounds the parts, and the whole to their sum, so that they still add up. */
function rounded(charged: ChargedCommand): ChargedCommand {
  const blame: Blame = {
    queueMs: roundMs(charged.blame.queueMs),
    networkMs: roundMs(charged.blame.networkMs),
    serverMs: roundMs(charged.blame.serverMs),
    loopMs: roundMs(charged.blame.loopMs),
    intendedMs: roundMs(charged.blame.intendedMs),
    unknownMs: roundMs(charged.blame.unknownMs),
  };
  return { ...charged, maxMs: roundMs(total(blame)), blame };
}
