// Shared memory of one thread's heartbeat. The watched thread writes, the watchdog reads; a
// sequence lock tells the reader that it caught a write half done.

import type { LateBeat } from "../model/stall";
import { type Ms, ms } from "../model/units";

// 64 late beats between two looks of the watchdog (25 ms) cannot happen; a starved one may miss
// some, and counts them.
const lateBeatsKept = 64;

const sequenceIndex = 0; // Int32
const headerBytes = 8;
const beatIndex = 0; // Float64 from here on
const idleIndex = 1;
const periodIndex = 2;
const countIndex = 3;
const lateCountIndex = 4;
const lateIndex = 5;
const lateFields = 4;

export interface Beat {
  readonly atMs: Ms;
  /** Time the loop has spent waiting for events since it began. */
  readonly idleMs: Ms;
  /** How long after `atMs` the next beat is due. */
  readonly periodMs: Ms;
  readonly count: number;
  /** Late beats so far, also those that the ring no longer holds. */
  readonly lateCount: number;
}

export function createBeatCell(): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + 8 * (lateIndex + lateFields * lateBeatsKept));
}

export interface BeatWriter {
  beat(atMs: Ms, idleMs: Ms, periodMs: Ms, late: LateBeat | null): void;
}

export function beatWriter(cell: SharedArrayBuffer): BeatWriter {
  const lock = new Int32Array(cell, 0, 2);
  const cells = new Float64Array(cell, headerBytes);
  return {
    beat(atMs, idleMs, periodMs, late) {
      Atomics.add(lock, sequenceIndex, 1);
      if (late !== null) {
        const count = cells[lateCountIndex] as number;
        const at = lateIndex + (count % lateBeatsKept) * lateFields;
        cells[at] = late.previousBeatMs;
        cells[at + 1] = late.beatMs;
        cells[at + 2] = late.idleMs;
        cells[at + 3] = late.dueMs;
        cells[lateCountIndex] = count + 1;
      }
      cells[beatIndex] = atMs;
      cells[idleIndex] = idleMs;
      cells[periodIndex] = periodMs;
      cells[countIndex] = (cells[countIndex] as number) + 1;
      Atomics.add(lock, sequenceIndex, 1);
    },
  };
}

/** A beat and the late ones before it, all of one moment: a late beat without the beat would look like silence. */
export interface BeatsSince {
  readonly beat: Beat;
  /** Oldest first, at most 64. */
  readonly late: readonly LateBeat[];
}

export interface BeatReader {
  /** The newest beat; null before the first, or if the writer was caught in the act three times. */
  read(): Beat | null;
  /** The same with the late beats since `seen` (a `lateCount`). */
  readSince(seen: number): BeatsSince | null;
}

export function beatReader(cell: SharedArrayBuffer): BeatReader {
  const lock = new Int32Array(cell, 0, 2);
  const cells = new Float64Array(cell, headerBytes);
  const at = (index: number): number => cells[index] as number;

  function stable<T>(take: () => T): T | null {
    for (let attempt = 0; attempt < 3; attempt++) {
      const before = Atomics.load(lock, sequenceIndex);
      const value = take();
      if ((before & 1) === 0 && Atomics.load(lock, sequenceIndex) === before) return value;
    }
    return null;
  }

  const newest = (): Beat => ({
    atMs: ms(at(beatIndex)),
    idleMs: ms(at(idleIndex)),
    periodMs: ms(at(periodIndex)),
    count: at(countIndex),
    lateCount: at(lateCountIndex),
  });

  function lateSince(seen: number): readonly LateBeat[] {
    const count = at(lateCountIndex);
    const late: LateBeat[] = [];
    for (let i = Math.max(seen, count - lateBeatsKept); i < count; i++) {
      const base = lateIndex + (i % lateBeatsKept) * lateFields;
      late.push({
        previousBeatMs: ms(at(base)),
        beatMs: ms(at(base + 1)),
        idleMs: ms(at(base + 2)),
        dueMs: ms(at(base + 3)),
      });
    }
    return late;
  }

  return {
    read() {
      const beat = stable(newest);
      return beat === null || beat.count === 0 ? null : beat;
    },
    readSince(seen) {
      const since = stable(() => ({ beat: newest(), late: lateSince(seen) }));
      return since === null || since.beat.count === 0 ? null : since;
    },
  };
}
