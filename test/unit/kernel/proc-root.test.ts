import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createProcRoot } from "../../../agent/kernel/proc-root";
import { bytes } from "../../../agent/model/units";
import { must, whyOf } from "./fixture";

let root = "";
const file = (name: string): string => join(root, name);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "loophound-proc-"));
  writeFileSync(file("small"), "four");
  writeFileSync(file("long"), `${"0123456789\n".repeat(20_000)}unfinished`);
  writeFileSync(file("wide"), `${"x".repeat(200_000)}\n`);
  writeFileSync(file("empty"), "");
  writeFileSync(file("refused"), "secret");
  chmodSync(file("refused"), 0o000);
  mkdirSync(file("folder"));
  for (const name of ["a", "b", "c"]) writeFileSync(file(`folder/${name}`), "");
  symlinkSync("socket:[7]", file("link"));
  // The folder itself is made readable to everybody for the test as another user.
  chmodSync(root, 0o755);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Root may read everything, so the test for refusals steps down for the moment. */
function withoutRoot<T>(run: () => T): T {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65534);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
  }
}

describe("reading a whole file", () => {
  test("gives its text, however many reads it takes", () => {
    const proc = createProcRoot(root);
    expect(must(proc.readText("small"))).toBe("four");
    expect(must(proc.readText("long", bytes(1e6)))).toHaveLength(220_010);
    expect(must(proc.readText("empty"))).toBe("");
  });

  test("stops at the limit and says so", () => {
    const proc = createProcRoot(root);
    expect(must(proc.readText("small", bytes(4)))).toBe("four");
    expect(whyOf(proc.readText("small", bytes(3)))).toBe("limit");
    expect(whyOf(proc.readText("long"))).toBe("limit");
  });

  test("tells what is missing from what is refused", () => {
    const proc = createProcRoot(root);
    expect(whyOf(proc.readText("nowhere"))).toBe("gone");
    expect(whyOf(proc.readText("small/below"))).toBe("gone");
    expect(whyOf(withoutRoot(() => proc.readText("refused")))).toBe("denied");
    expect(whyOf(withoutRoot(() => proc.keepOpen("refused")))).toBe("denied");
    expect(whyOf(proc.readText("folder"))).toBe("unsupported");
  });

  test("takes an absolute path below the system's root", () => {
    expect(must(createProcRoot("/nowhere", root).readText("/small"))).toBe("four");
    expect(must(createProcRoot("/nowhere", root).readText("/../../small"))).toBe("four");
  });
});

describe("links and folders", () => {
  test("are read", () => {
    const proc = createProcRoot(root);
    expect(must(proc.readLink("link"))).toBe("socket:[7]");
    expect([...must(proc.list("folder", 3))].sort()).toEqual(["a", "b", "c"]);
  });

  test("fail by what the matter is", () => {
    const proc = createProcRoot(root);
    expect(whyOf(proc.readLink("small"))).toBe("gone");
    expect(whyOf(proc.list("folder", 2))).toBe("limit");
    expect(whyOf(proc.list("nowhere", 2))).toBe("gone");
  });
});

describe("a file that is kept open", () => {
  test("is read afresh each time", () => {
    const kept = must(createProcRoot(root).keepOpen("small"));
    writeFileSync(file("small"), "five!");
    expect(must(kept.readText())).toBe("five!");
    writeFileSync(file("small"), "four");
    expect(must(kept.readText())).toBe("four");
    kept.close();
  });

  test("is gone after it was closed, and may be closed twice", () => {
    const kept = must(createProcRoot(root).keepOpen("small"));
    kept.close();
    kept.close();
    expect(whyOf(kept.readText())).toBe("gone");
  });

  test("fails when it is too large for a poll", () => {
    const kept = must(createProcRoot(root).keepOpen("long"));
    expect(whyOf(kept.readText())).toBe("limit");
    kept.close();
  });
});

describe("scanning lines", () => {
  const collect = (path: string, limitBytes: number, countMax = Number.POSITIVE_INFINITY) => {
    const lines: string[] = [];
    const result = createProcRoot(root).scanLines(path, {
      limitBytes: bytes(limitBytes),
      lineBytesMax: bytes(64),
      visit: (buffer, start, end) => lines.push(buffer.toString("latin1", start, end)) < countMax,
    });
    return { lines, result };
  };

  test("visits each line once, also across the edges of its buffer", () => {
    const { lines, result } = collect("long", 1e6);
    expect(must(result)).toBe(220_010);
    expect(lines).toHaveLength(20_001);
    expect(new Set(lines.slice(0, -1))).toEqual(new Set(["0123456789"]));
    expect(lines.at(-1)).toBe("unfinished");
  });

  test("stops when the visitor has seen enough", () => {
    expect(collect("long", 1e6, 3).lines).toHaveLength(3);
  });

  test("stops at the limit and says so", () => {
    const { lines, result } = collect("long", 100_000);
    expect(whyOf(result)).toBe("limit");
    expect(lines.length).toBeGreaterThan(5000);
    expect(lines.length).toBeLessThan(20_000);
  });

  test("refuses a line that the format does not allow", () => {
    expect(whyOf(collect("wide", 1e6).result)).toBe("malformed");
  });

  test("finds nothing in an empty file", () => {
    const { lines, result } = collect("empty", 1e6);
    expect(lines).toEqual([]);
    expect(must(result)).toBe(0);
  });
});
