// The ledger: one fixed-size record per command in shared memory. The application thread writes
// with plain stores (no allocation, no lock), the watchdog reads, also while records are open.

import type { CommandState } from "../model/command";

/** Records kept: at 20,000 commands a second, 0.8 s of history; a power of two, so that a slot is a mask. */
export const ledgerCapacity = 16_384;

const headerBytes = 32;
export const headIndex = 0; // Float64: the newest sequence
export const droppedIndex = 1; // Float64: open records that were overwritten

const stateCalled = 1;
const stateSent = 2;
export const stateReplied = 3;
const stateFailed = 4;
const stateFlushed = 5;
export const stateNames: readonly (CommandState | null)[] = [
  null,
  "called",
  "sent",
  "replied",
  "failed",
  "flushed",
];

/** How a record ended. `flushed`: without a reply (connection lost, client time-out, disconnect). */
export const outcome = {
  replied: stateReplied,
  failed: stateFailed,
  flushed: stateFlushed,
} as const;
export type Outcome = (typeof outcome)[keyof typeof outcome];

/** Bytes of one record: times and sequence, then command, connection and ahead, then the state. */
const doublesPerRecord = 5;
const recordBytes = doublesPerRecord * 8 + 3 * 2 + 1;

/** 0 is what a new record has: not read. So "does not wait" needs a number of its own. */
const doesNotWait = -1;
const askedStored = (askedMs: number): number => (askedMs === 0 ? doesNotWait : askedMs);
export const askedOf = (stored: number): number | null => {
  if (stored === 0) return null;
  return stored === doesNotWait ? 0 : stored;
};

export function ledgerViews(buffer: SharedArrayBuffer, capacity: number) {
  const doubles = (index: number) =>
    new Float64Array(buffer, headerBytes + index * 8 * capacity, capacity);
  const shortsAt = headerBytes + doublesPerRecord * 8 * capacity;
  const shorts = (index: number) =>
    new Uint16Array(buffer, shortsAt + index * 2 * capacity, capacity);
  return {
    header: new Float64Array(buffer, 0, headerBytes / 8),
    sequence: doubles(0),
    called: doubles(1),
    sent: doubles(2),
    replied: doubles(3),
    /** See `askedStored`. */
    asked: doubles(4),
    command: shorts(0),
    connection: shorts(1),
    ahead: shorts(2),
    state: new Uint8Array(buffer, shortsAt + 3 * 2 * capacity, capacity),
  };
}

export function createLedger(capacity = ledgerCapacity): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + capacity * recordBytes);
}

export const capacityOf = (buffer: SharedArrayBuffer): number => {
  return (buffer.byteLength - headerBytes) / recordBytes;
};

export interface LedgerWriter {
  /** Opens a record and returns its sequence. About 10 ns; allocates nothing. */
  open(commandId: number, connectionId: number, ahead: number, calledMs: number): number;
  /**
   * How long a blocking command was asked to wait at most, in milliseconds: Infinity for ever, 0 not
   * at all. Called for those only.
   */
  asked(sequence: number, askedMs: number): void;
  /** The bytes went to the socket; again after a resend, when the last time counts. */
  sent(sequence: number, connectionId: number, sentMs: number): void;
  /** Settles the record, once: a second call, or one for a record that the ring has lost, does nothing. */
  close(sequence: number, repliedMs: number, how: Outcome): void;
  /** Counts a command that cannot be followed, as one whose record was overwritten. */
  drop(): void;
}

/** One per thread: two writers on one ledger would overwrite each other. */
export function ledgerWriter(buffer: SharedArrayBuffer): LedgerWriter {
  const capacity = capacityOf(buffer);
  const mask = capacity - 1;
  const { header, sequence, called, sent, replied, asked, command, connection, ahead, state } =
    ledgerViews(buffer, capacity);
  let head = 0;
  return {
    open(commandId, connectionId, aheadCount, calledMs) {
      const next = ++head;
      const slot = next & mask;
      const previous = state[slot];
      if (previous === stateCalled || previous === stateSent) {
        header[droppedIndex] = (header[droppedIndex] as number) + 1;
      }
      state[slot] = 0;
      called[slot] = calledMs;
      sent[slot] = 0;
      replied[slot] = 0;
      asked[slot] = 0;
      command[slot] = commandId;
      connection[slot] = connectionId;
      ahead[slot] = Math.min(aheadCount, 65_535);
      sequence[slot] = next;
      state[slot] = stateCalled;
      header[headIndex] = next;
      return next;
    },
    asked(record, askedMs) {
      const slot = record & mask;
      if (sequence[slot] === record) asked[slot] = askedStored(askedMs);
    },
    sent(record, connectionId, sentMs) {
      const slot = record & mask;
      if (sequence[slot] !== record || (state[slot] as number) > stateSent) return;
      connection[slot] = connectionId;
      sent[slot] = sentMs;
      state[slot] = stateSent;
    },
    close(record, repliedMs, how) {
      const slot = record & mask;
      if (sequence[slot] !== record || (state[slot] as number) > stateSent) return;
      replied[slot] = repliedMs;
      state[slot] = how;
    },
    drop() {
      header[droppedIndex] = (header[droppedIndex] as number) + 1;
    },
  };
}
