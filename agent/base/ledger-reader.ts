// The watchdog's side of the ledger: gives each settled record once, and open ones at any moment.
//
// A plain store may become visible out of order on arm64, and a slot may be reused under the
// reader's eyes. So a record is taken only if its sequence and state are the same before and after,
// and its times are in order; what fails that is looked at again on the next poll. Every time of
// the slot's previous life is older than the new record's call, and so fails too.

import type { CommandState } from "../model/command";
import { type Ms, ms } from "../model/units";
import {
  askedOf,
  capacityOf,
  droppedIndex,
  headIndex,
  ledgerViews,
  stateNames,
  stateReplied,
} from "./ledger";

/** A record as it lies in memory; ids are resolved by whoever keeps the names. */
export interface LedgerEntry {
  readonly sequence: number;
  readonly commandId: number;
  readonly connectionId: number;
  readonly ahead: number;
  readonly state: CommandState;
  readonly calledMs: Ms;
  readonly sentMs: Ms | null;
  readonly repliedMs: Ms | null;
  /** As in CommandRecord. */
  readonly askedMs: Ms | null;
}

export interface LedgerReader {
  /** Gives each record that settled since the last poll, once; returns how many are open. */
  poll(onSettled: (entry: LedgerEntry) => void): number;
  /** Records that were open at the last poll and still are. */
  open(): readonly LedgerEntry[];
  /** The same one by one, oldest first, until `visit` says that it has seen enough. */
  eachOpen(visit: (entry: LedgerEntry) => boolean): void;
  /** Records, newest first, of which any part lies in the interval; at most `limit`. */
  overlapping(startMs: Ms, endMs: Ms, limit: number): readonly LedgerEntry[];
  /** Records that the ring overwrote before they could be read. */
  lostCount(): number;
}

/** A record, `lost` (overwritten) or `torn` (caught half written: look again). */
type Reading = LedgerEntry | "lost" | "torn";

export const isOpen = (entry: LedgerEntry): boolean =>
  entry.state === "called" || entry.state === "sent";

function areTimesInOrder(state: number, called: number, sent: number, replied: number): boolean {
  if (state >= stateReplied && replied === 0) return false;
  return (sent === 0 || sent >= called) && (replied === 0 || replied >= called);
}

const timeOrNull = (stored: number): Ms | null => (stored === 0 ? null : ms(stored));

function entryReader(buffer: SharedArrayBuffer): (sequence: number) => Reading {
  const mask = capacityOf(buffer) - 1;
  const fields = ledgerViews(buffer, mask + 1);
  const at = (array: Float64Array | Uint16Array | Uint8Array, slot: number) =>
    array[slot] as number;
  return (sequence) => {
    const slot = sequence & mask;
    const state = at(fields.state, slot);
    const called = at(fields.called, slot);
    const sent = at(fields.sent, slot);
    const replied = at(fields.replied, slot);
    const asked = askedOf(at(fields.asked, slot));
    const commandId = at(fields.command, slot);
    const connectionId = at(fields.connection, slot);
    const ahead = at(fields.ahead, slot);
    if (at(fields.sequence, slot) !== sequence) return "lost";
    const name = stateNames[state] ?? null;
    if (name === null || at(fields.state, slot) !== state) return "torn";
    if (!areTimesInOrder(state, called, sent, replied)) return "torn";
    return {
      sequence,
      commandId,
      connectionId,
      ahead,
      state: name,
      calledMs: ms(called),
      sentMs: timeOrNull(sent),
      repliedMs: timeOrNull(replied),
      askedMs: asked === null ? null : ms(asked),
    };
  };
}

const isEntry = (reading: Reading): reading is LedgerEntry => typeof reading === "object";

export function ledgerReader(buffer: SharedArrayBuffer): LedgerReader {
  const capacity = capacityOf(buffer);
  const header = ledgerViews(buffer, capacity).header;
  const read = entryReader(buffer);
  const head = (): number => header[headIndex] as number;
  let seen = 0;
  let lost = 0;
  let openSequences: number[] = [];

  return {
    poll(onSettled) {
      const newest = head();
      const first = Math.max(seen + 1, newest - capacity + 1);
      lost += first - (seen + 1);
      const stillOpen: number[] = [];
      const take = (sequence: number): void => {
        const reading = read(sequence);
        if (reading === "lost") lost++;
        else if (reading === "torn" || isOpen(reading)) stillOpen.push(sequence);
        else onSettled(reading);
      };
      openSequences.forEach(take);
      for (let sequence = first; sequence <= newest; sequence++) take(sequence);
      seen = newest;
      openSequences = stillOpen;
      return stillOpen.length;
    },
    open: () => openSequences.map(read).filter(isEntry).filter(isOpen),
    eachOpen(visit) {
      for (const sequence of openSequences) {
        const entry = read(sequence);
        if (isEntry(entry) && isOpen(entry) && visit(entry)) return;
      }
    },
    overlapping(startMs, endMs, limit) {
      const found: LedgerEntry[] = [];
      const newest = head();
      const oldest = Math.max(1, newest - capacity + 1);
      for (let sequence = newest; sequence >= oldest && found.length < limit; sequence--) {
        const entry = read(sequence);
        if (!isEntry(entry) || entry.calledMs > endMs) continue;
        if (entry.repliedMs === null || entry.repliedMs >= startMs) found.push(entry);
      }
      return found;
    },
    lostCount: () => lost,
  };
}

/** Open records that the ring overwrote, as the writer counts them. */
export function droppedCount(buffer: SharedArrayBuffer): () => number {
  const header = ledgerViews(buffer, capacityOf(buffer)).header;
  return () => header[droppedIndex] as number;
}
