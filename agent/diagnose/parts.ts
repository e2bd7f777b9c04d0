// Divides the latency of one command into parts that add up to it. Pure.
//
// The time line of a command is painted in layers, each of which assigns a stretch to somebody; where
// layers overlap, the later one is better proven and wins; what none covers stays unknown.
//
// A reply that lies in the kernel while nobody reads it is the loop's time. When it arrived is known
// at best from the receive queue (proof), else estimated by the usual round trip to that server.

import { isWaiting, serverTimerMs } from "../model/constant-cost";
import type { Interval } from "../model/evidence";
import type { Blame } from "../model/incident";
import { type Ms, ms } from "../model/units";
import { lettingGoMs } from "./held-or-delayed";
import type { Finding } from "./server-word";

/** One command, and all that is known of its wait. */
export interface Wait {
  readonly command: string;
  readonly calledMs: Ms;
  readonly sentMs: Ms | null;
  /** When it settled, or now if it is still open. */
  readonly settledMs: Ms;
  /** As in CommandRecord. */
  readonly askedMs: Ms | null;
  /** First sample that saw its reply unread in the kernel; null if none did. */
  readonly unreadSeenMs: Ms | null;
  /** Usual time from sent to replied on that server while the loop is free; null if not known. */
  readonly usualRoundTripMs: Ms | null;
  /** Stalls of the loop that it may have met. */
  readonly stalls: readonly Interval[];
  /** The stretches for which others stood before it on its own connection. */
  readonly behind: readonly Interval[];
  /** What control experiments say of its server; null: none was made. */
  readonly finding: Finding | null;
}

export interface Parts {
  readonly blame: Blame;
  /** How far the parts may be off, one against the other. */
  readonly uncertaintyMs: number;
}

/** Replies read within this of a stall's end had been waiting for it. */
export const catchUpMs = 40;

type Part = keyof Blame;
interface Layer extends Interval {
  readonly part: Part;
}

export function partsOf(wait: Wait): Parts {
  const sentMs = wait.sentMs ?? wait.settledMs;
  const ready = readyAt(wait, sentMs);
  const untilSent = (endMs: number): Ms => ms(Math.min(endMs, sentMs));
  const blame = paint(wait.calledMs, wait.settledMs, [
    ...ofServer(wait, sentMs),
    ...onPurpose(wait, sentMs),
    layer("queueMs", wait.calledMs, sentMs),
    ...wait.behind.map(({ startMs, endMs }) => layer("queueMs", startMs, endMs)),
    ...wait.stalls.map(({ startMs, endMs }) => layer("loopMs", startMs, untilSent(endMs))),
    ...(ready === null ? [] : [layer("loopMs", ready.atMs, wait.settledMs)]),
  ]);
  return { blame, uncertaintyMs: (ready?.uncertaintyMs ?? 0) + ofFinding(wait, blame) };
}

export const totalOf = (blame: Blame): number =>
  blame.queueMs +
  blame.networkMs +
  blame.serverMs +
  blame.loopMs +
  blame.intendedMs +
  blame.unknownMs;

const layer = (part: Part, startMs: Ms, endMs: Ms): Layer => ({ part, startMs, endMs });

/** What the server and the path to it had of the time in flight, as far as experiments tell. */
function ofServer(wait: Wait, sentMs: Ms): readonly Layer[] {
  const { finding, settledMs, usualRoundTripMs } = wait;
  if (finding?.kind === "path") return [layer("networkMs", sentMs, settledMs)];
  if (finding?.kind !== "server") return [];
  // A whole round trip is no shorter than its path; the connect may have been, or longer by chance.
  const pathMs = Math.min(finding.connectMs ?? 0, usualRoundTripMs ?? Number.POSITIVE_INFINITY);
  const pathEndMs = ms(sentMs + pathMs);
  return [
    layer("serverMs", sentMs, heldUntil(finding, sentMs, settledMs)),
    layer("networkMs", sentMs, pathEndMs),
  ];
}

/** A server that has answered somebody holds nobody any more, but for the backlog of its silence. */
function heldUntil({ silentUntilMs }: Finding, sentMs: Ms, settledMs: Ms): Ms {
  if (silentUntilMs === null) return settledMs;
  const isBacklog = settledMs - silentUntilMs <= lettingGoMs(silentUntilMs - sentMs);
  return isBacklog ? settledMs : silentUntilMs;
}

/** It begins to wait on purpose when those before it are answered. */
function onPurpose({ command, askedMs, behind }: Wait, sentMs: Ms): readonly Layer[] {
  if (!isWaiting(command, askedMs)) return [];
  const startMs = ms(Math.max(sentMs, ...behind.map(({ endMs }) => endMs)));
  return [layer("intendedMs", startMs, ms(startMs + (askedMs ?? Number.POSITIVE_INFINITY)))];
}

/** When the reply could have been read but was not; null where nothing says that it was there. */
function readyAt(wait: Wait, sentMs: Ms): { atMs: Ms; uncertaintyMs: number } | null {
  const { unreadSeenMs, settledMs } = wait;
  const stall = wait.stalls.findLast(({ startMs, endMs }) => sentMs < endMs && settledMs > startMs);
  if (stall === undefined) return null;
  // Before the stall began, the loop would have read it; and nothing is ready before it is sent.
  const earliestMs = Math.max(stall.startMs, sentMs);
  // A reply that had been there when the stall ended would have been read soon after.
  const estimates = settledMs <= stall.endMs + catchUpMs ? answeredBy(wait, sentMs) : [];
  const byOthersMs = Math.min(...estimates);
  const atMs = ms(Math.max(earliestMs, Math.min(unreadSeenMs ?? byOthersMs, byOthersMs)));
  if (!Number.isFinite(atMs)) return null;
  const usualMs = usualOf(wait);
  const isUsual = usualMs !== null && atMs <= sentMs + usualMs;
  return { atMs, uncertaintyMs: isUsual ? usualMs : atMs - earliestMs };
}

/** Moments by which the server should have answered it, as others tell. */
function answeredBy(wait: Wait, sentMs: Ms): readonly number[] {
  const { finding } = wait;
  // While the server answers nobody, nothing is there.
  const silentMs = finding?.silentUntilMs ?? sentMs;
  const usualMs = sentMs + waitsMs(wait) + (usualOf(wait) ?? Number.POSITIVE_INFINITY);
  // It answers in the order in which it is asked, but for those who wait on purpose.
  const othersMs = waitsMs(wait) === 0 ? finding?.answeredMs : null;
  return [Math.max(silentMs, usualMs), othersMs ?? Number.POSITIVE_INFINITY];
}

/** A round trip as it usually is; where too few are known, that of a control PING meanwhile. */
const usualOf = ({ usualRoundTripMs, finding }: Wait): Ms | null =>
  usualRoundTripMs ?? finding?.answerTookMs ?? null;

/** On the server, by its own wish, at most. */
const waitsMs = ({ command, askedMs }: Wait): number =>
  isWaiting(command, askedMs) ? (askedMs ?? Number.POSITIVE_INFINITY) + serverTimerMs : 0;

/** No more than what the finding has assigned. */
function ofFinding({ finding }: Wait, blame: Blame): number {
  return Math.min(finding?.uncertaintyMs ?? 0, blame.serverMs + blame.networkMs);
}

/** Each stretch goes to the last layer that covers it, and stays unknown where none does. */
function paint(fromMs: Ms, toMs: Ms, layers: readonly Layer[]): Blame {
  const blame: Record<Part, number> = {
    queueMs: 0,
    networkMs: 0,
    serverMs: 0,
    loopMs: 0,
    intendedMs: 0,
    unknownMs: 0,
  };
  const inside = (at: number): boolean => at > fromMs && at < toMs;
  const edges = layers.flatMap(({ startMs, endMs }) => [startMs, endMs]).filter(inside);
  const points = [fromMs, ...edges.sort((a, b) => a - b), toMs];
  for (const [i, end] of points.entries()) {
    const start = points[i - 1] ?? end;
    const top = layers.findLast(({ startMs, endMs }) => startMs <= start && endMs >= end);
    blame[top?.part ?? "unknownMs"] += end - start;
  }
  return blame;
}
