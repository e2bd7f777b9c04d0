// Shared memory for the answer of a thread that was asked for its JavaScript stack: one answer at a
// time, for the watchdog asks again only after it has read the last. The application thread writes.

import type { JsFrame } from "../model/stack";
import { type Ms, ms } from "../model/units";

/** The global that the watchdog's question calls. A string: `Symbol.for` could be the application's by then. */
export const answerName = "loophound:stack";

/** About 64 frames of 250 characters; what does not fit is cut off at the outer end. */
const textBytes = 16_384;
const headerBytes = 32;

const stateIndex = 0; // Int32
const sequenceIndex = 1;
const lengthIndex = 2;
const startedIndex = 2; // Float64: bytes 16 to 31
const finishedIndex = 3;
const fieldEnd = "\0";
const fieldsPerFrame = 4;

/** Whether the application thread can be asked. */
export type AnswerState = "absent" | "ready" | "debugged" | "refused";
/**
 * - `absent`: nobody answers in that thread.
 * - `ready`: it answers.
 * - `debugged`: its inspector is open, for somebody else.
 * - `refused`: the stack could not be taken without touching the application.
 */
const states: readonly AnswerState[] = ["absent", "ready", "debugged", "refused"];

export interface Answer {
  readonly sequence: number;
  /** When the thread came to answer. */
  readonly answeredMs: Ms;
  /** Time that the thread spent on it. */
  readonly costMs: Ms;
  /** Innermost first. */
  readonly js: readonly JsFrame[];
}

export function createAnswerCell(): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + textBytes);
}

export interface AnswerWriter {
  setState(state: AnswerState): void;
  /** Frames as `encodeFrame` gives them, innermost first. */
  write(sequence: number, startedMs: Ms, finishedMs: () => Ms, frames: string): void;
}

/** Uses nothing that an application could replace later: it writes in the middle of its code. */
export function answerWriter(cell: SharedArrayBuffer): AnswerWriter {
  const header = new Int32Array(cell, 0, 4);
  const times = new Float64Array(cell, 0, 4);
  const text = new Uint8Array(cell, headerBytes);
  const encoder = new TextEncoder();
  const encodeInto = encoder.encodeInto.bind(encoder);
  const store = Atomics.store;
  return {
    setState: (state) => void store(header, stateIndex, states.indexOf(state)),
    write(sequence, startedMs, finishedMs, frames) {
      header[lengthIndex] = encodeInto(frames, text).written;
      times[startedIndex] = startedMs;
      times[finishedIndex] = finishedMs();
      store(header, sequenceIndex, sequence);
    },
  };
}

/** A frame in the cell's text. Concatenation only: JSON.stringify would call an application's toJSON. */
export const encodeFrame = (
  functionName: string | null,
  script: string | null,
  line: number | null,
  column: number | null,
): string =>
  (functionName ?? "") +
  fieldEnd +
  (script ?? "") +
  fieldEnd +
  (line ?? "") +
  fieldEnd +
  (column ?? "") +
  fieldEnd;

export interface AnswerReader {
  state(): AnswerState;
  /** The answer to `sequence`; null while there is none. */
  read(sequence: number): Answer | null;
}

export function answerReader(cell: SharedArrayBuffer): AnswerReader {
  const header = new Int32Array(cell, 0, 4);
  const times = new Float64Array(cell, 0, 4);
  const text = Buffer.from(cell, headerBytes);
  return {
    state: () => states[Atomics.load(header, stateIndex)] ?? "absent",
    read(sequence) {
      if (Atomics.load(header, sequenceIndex) !== sequence) return null;
      const answeredMs = ms(times[startedIndex] as number);
      return {
        sequence,
        answeredMs,
        costMs: ms((times[finishedIndex] as number) - answeredMs),
        js: decodeFrames(text.toString("utf8", 0, header[lengthIndex])),
      };
    },
  };
}

function decodeFrames(text: string): readonly JsFrame[] {
  const fields = text.split(fieldEnd);
  const frames: JsFrame[] = [];
  // The last piece follows the last field's end, or is what was cut off.
  for (let at = 0; at + fieldsPerFrame < fields.length; at += fieldsPerFrame) {
    const [name, script, line, column] = fields.slice(at, at + fieldsPerFrame);
    frames.push({
      functionName: name || null,
      script: script || null,
      line: Number(line) || null,
      column: Number(column) || null,
      tier: "unknown",
    });
  }
  return frames;
}
