import { describe, expect, test } from "@jest/globals";
import { lineAndColumn } from "../../../agent/stack/js-position";
import { openHeap } from "../../../agent/stack/v8-heap";
import { runningV8, SyntheticHeap, smi } from "./v8-synthetic";

const v8 = runningV8();
const { fields } = v8;

interface ScriptParts {
  readonly source: string;
  readonly encoding?: "latin1" | "utf16le";
  readonly lineEnds?: readonly number[];
  readonly lineOffset?: number;
  readonly columnOffset?: number;
}

function place(parts: ScriptParts, offset: number): string | null {
  const heap = new SyntheticHeap(v8);
  const script = heap.object(v8.types.script, 160);
  heap.word(script, fields.scriptSource, BigInt(heap.string(parts.source, parts.encoding)));
  heap.word(script, fields.scriptName + 8, smi(parts.lineOffset ?? 0));
  heap.word(script, fields.scriptName + 16, smi(parts.columnOffset ?? 0));
  if (parts.lineEnds !== undefined) {
    const ends = heap.object(v8.types.fixedArray, 16 + 8 * parts.lineEnds.length);
    heap.word(ends, fields.arrayLength, smi(parts.lineEnds.length));
    for (const [line, end] of parts.lineEnds.entries()) {
      heap.word(ends, fields.arrayData + 8 * line, smi(end));
    }
    heap.word(script, fields.scriptLineEnds, BigInt(ends));
  }
  const found = lineAndColumn(openHeap(heap.memory, v8), script, offset);
  return found === null ? null : `${found.line}:${found.column}`;
}

describe("lineAndColumn", () => {
  test("uses V8's table of line ends where there is one", () => {
    const parts = { source: "ab\ncd\n", lineEnds: [2, 5, 6] };
    const places = [0, 1, 2, 3, 5, 6, 7].map((offset) => place(parts, offset));
    expect(places).toEqual(["1:1", "1:2", "1:3", "2:1", "2:3", "3:1", null]);
  });

  test("counts the lines of the source where V8 has not done so yet", () => {
    const parts = { source: "ab\ncd\n", lineEnds: [] };
    const places = [0, 2, 3, 5, 6].map((offset) => place(parts, offset));
    expect(places).toEqual(["1:1", "1:3", "2:1", "2:3", "3:1"]);
  });

  test("takes CR LF as one end of line, and CR alone as one too", () => {
    expect([3, 4, 5].map((offset) => place({ source: "ab\r\ncd" }, offset))).toEqual([
      "1:4",
      "2:1",
      "2:2",
    ]);
    expect(place({ source: "ab\rcd" }, 3)).toBe("2:1");
  });

  test("counts the line separators of two-byte sources", () => {
    const source = "é\u2028я\u2029z";
    expect(place({ source, encoding: "utf16le" }, 4)).toBe("3:1");
  });

  test("adds the offsets a script was compiled with, the column's on its first line only", () => {
    const parts = { source: "ab\ncd", lineOffset: 10, columnOffset: 5 };
    expect([0, 3].map((offset) => place(parts, offset))).toEqual(["11:6", "12:1"]);
  });

  test("has no place past the end of the source", () => {
    expect(place({ source: "ab" }, 9)).toBeNull();
  });
});
