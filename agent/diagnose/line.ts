// What of a command's wait was its place in the line of its own connection. Pure.
//
// Standing behind others is no reason by itself: they may all wait for the same server. It is one if
// the command ahead waits on purpose. If the server answered others promptly in the meantime, it is
// one as well, but for the time that a command ahead of constant cost took for no reason of its own.

import type { Interval } from "../model/evidence";
import type { Evidence } from "../model/incident";
import { type Ms, ms } from "../model/units";
import { roundMs } from "./rule";
import type { Finding } from "./server-word";

/** A long time in which a connection gave one reply. */
export interface LineWait extends Interval {
  readonly command: string;
  /**
   * - `on-purpose`: it was asked to wait.
   * - `costly`: its work or its reply may take long.
   * - `cheap`: of constant cost; why it took long is not known.
   */
  readonly kind: "on-purpose" | "costly" | "cheap";
}

export interface Line {
  /** Commands unanswered on the connection when this one was called. */
  readonly ahead: number;
  /** When the one before it was answered, if that was after this one was sent. */
  readonly previousRepliedMs: Ms | null;
  /** Long waits of those before it that reach into its own, oldest first. */
  readonly waits: readonly LineWait[];
}

export interface Standing {
  readonly behind: readonly Interval[];
  readonly evidence: readonly Evidence[];
}

const noStanding: Standing = { behind: [], evidence: [] };

export function standingOf(
  line: Line | null,
  sentMs: Ms | null,
  settledMs: Ms,
  finding: Finding | null,
): Standing {
  if (line === null || sentMs === null) return noStanding;
  if (finding?.kind === "answering" && line.ahead > 0) return inLine(line, sentMs, settledMs);
  const onPurpose = line.waits.filter(({ kind }) => kind === "on-purpose");
  const longest = longestOf(onPurpose);
  if (longest === null) return noStanding;
  const behind = onPurpose.map(({ startMs, endMs }) => {
    return { startMs: ms(Math.max(startMs, sentMs)), endMs };
  });
  return { behind, evidence: [behindOne(longest.command)] };
}

function inLine(line: Line, sentMs: Ms, settledMs: Ms): Standing {
  // Without the replies of those ahead, because the ledger has lost them, all of it.
  const endMs = line.previousRepliedMs ?? settledMs;
  const cheap = line.waits.filter(({ kind }) => kind === "cheap");
  const behind = without({ startMs: sentMs, endMs }, cheap);
  if (behind.length === 0) return noStanding;
  return { behind, evidence: [stoodBehind(line, endMs - sentMs)] };
}

/** What is left of an interval when others, in order, are taken out. */
function without(whole: Interval, others: readonly Interval[]): readonly Interval[] {
  const left: Interval[] = [];
  let { startMs } = whole;
  for (const other of others) {
    if (other.startMs > startMs) left.push({ startMs, endMs: other.startMs });
    startMs = ms(Math.max(startMs, other.endMs));
  }
  if (startMs < whole.endMs) left.push({ startMs, endMs: whole.endMs });
  return left;
}

const longestOf = (waits: readonly LineWait[]): LineWait | null =>
  waits.reduce<LineWait | null>(
    (top, wait) => (top === null || lengthOf(wait) > lengthOf(top) ? wait : top),
    null,
  );

const lengthOf = ({ startMs, endMs }: Interval): number => endMs - startMs;

const behindOne = (ahead: string): Evidence => ({
  kind: "head-of-line",
  says: `it stood behind ${ahead} on the same connection, and replies come in order`,
  ahead,
});

/** Behind one that took long, or behind many. */
function stoodBehind({ ahead, waits }: Line, lengthMs: number): Evidence {
  const waitedMs = roundMs(lengthMs);
  const long = waits.findLast((wait) => wait.kind !== "cheap" && lengthOf(wait) >= lengthMs / 2);
  if (long !== undefined) return { ...behindOne(long.command), waitedMs };
  return {
    kind: "commands-ahead",
    says: `${ahead} commands stood before it on the same connection, and the last of them was answered ${waitedMs} ms after it was sent`,
    ahead,
    waitedMs,
  };
}
