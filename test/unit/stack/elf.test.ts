// ELF images: what is found in good ones, and that bad ones are refused and cost little.

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Result } from "../../../agent/model/result";
import { type ElfFile, elfFromBuffer, openElf } from "../../../agent/stack/elf";
import { bssBytes, buildElf, segmentVaddr } from "./elf-builder";

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.why}: ${result.detail}`);
  return result.value;
}

const open = (image: Buffer): ElfFile => unwrap(elfFromBuffer("image", image));

describe("an ELF image", () => {
  const content = Buffer.from([0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0]);
  const elf = open(buildElf({ content }));

  test("gives its machine and its segments", () => {
    expect(elf.machine).toBe("x64");
    expect(open(buildElf({ machine: 183 })).machine).toBe("arm64");
    expect(elf.loadSegments).toHaveLength(1);
    expect(elf.loadSegments[0]).toMatchObject({ vaddr: segmentVaddr, executable: true });
  });

  test("reads by virtual address, and memory behind the file's bytes as zeros", () => {
    expect(elf.int32At(segmentVaddr)).toEqual({ ok: true, value: -1 });
    expect(elf.int32At(segmentVaddr + 4)).toEqual({ ok: true, value: 7 });
    expect(elf.int32At(segmentVaddr + content.length)).toEqual({ ok: true, value: 0 });
    expect(elf.toFileOffset(segmentVaddr + content.length)).toBeNull();
  });

  test("refuses addresses outside of its segments", () => {
    expect(elf.readAt(segmentVaddr - 1, 1)).toMatchObject({ ok: false, why: "gone" });
    expect(elf.readAt(segmentVaddr + content.length + bssBytes, 1)).toMatchObject({ ok: false });
    expect(elf.readAt(segmentVaddr, content.length + bssBytes + 1)).toMatchObject({ ok: false });
  });
});

describe("symbols by prefix", () => {
  const symbol = (name: string, value: number, more = {}) => ({ name, value, bytes: 4, ...more });

  test("are found in both tables, and once", () => {
    const elf = open(
      buildElf({
        dynsym: [symbol("v8dbg_a", 1), symbol("other", 2)],
        symtab: [symbol("v8dbg_a", 1), symbol("v8dbg_b", 3), symbol("xv8dbg_c", 4)],
      }),
    );
    const names = unwrap(elf.symbolsWithPrefix("v8dbg_")).map(({ name, vaddr }) => [name, vaddr]);
    expect(names).toEqual([
      ["v8dbg_a", 1],
      ["v8dbg_b", 3],
    ]);
    expect(unwrap(elf.symbolsWithPrefix("v8dbg_", [".dynsym"]))).toHaveLength(1);
  });

  test("leave out what another image must define", () => {
    const elf = open(buildElf({ dynsym: [symbol("v8dbg_a", 0, { section: 0 })] }));
    expect(unwrap(elf.symbolsWithPrefix("v8dbg_"))).toEqual([]);
  });

  test("are refused without a prefix", () => {
    expect(open(buildElf({})).symbolsWithPrefix("")).toMatchObject({ ok: false });
  });
});

describe("the symbol at an address", () => {
  const elf = open(
    buildElf({
      symtab: [
        { name: "outer", value: 0x1000, bytes: 0x100 },
        { name: "inner", value: 0x1040, bytes: 0x10, binding: 0 },
        { name: "__read", value: 0x2000, bytes: 8 },
        { name: "read", value: 0x2000, bytes: 8, binding: 2 },
        { name: "read_local", value: 0x2000, bytes: 8, binding: 0 },
        { name: "label", value: 0x3000, bytes: 0 },
        { name: "data", value: 0x4000, bytes: 8, type: 1 },
      ],
    }),
  );
  const nameAt = (vaddr: number) => unwrap(elf.symbolsAt([vaddr]))[0]?.name ?? null;

  test("is the innermost that covers it", () => {
    expect([nameAt(0x1000), nameAt(0x1045), nameAt(0x1050), nameAt(0x10ff)]).toEqual([
      "outer",
      "inner",
      "outer",
      "outer",
    ]);
  });

  test("is absent where none covers it, however near", () => {
    expect([nameAt(0xfff), nameAt(0x1100), nameAt(0x3001), nameAt(0x4000)]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  test("has the name that people call it by", () => {
    expect(nameAt(0x2004)).toBe("read");
  });

  test("comes from the dynamic symbols when the image is stripped", () => {
    const stripped = open(buildElf({ dynsym: [{ name: "exported", value: 16, bytes: 8 }] }));
    expect(stripped.section(".symtab")).toBeNull();
    expect(unwrap(stripped.symbolsAt([20]))[0]?.name).toBe("exported");
  });
});

describe("what is no usable ELF image", () => {
  const good = buildElf({
    content: Buffer.alloc(16, 1),
    symtab: [{ name: "a", value: 1, bytes: 1 }],
  });
  const changed = (at: number, ...values: number[]): Buffer => {
    const image = Buffer.from(good);
    image.set(values, at);
    return image;
  };

  test.each([
    ["another magic number", changed(0, 0), "malformed"],
    ["32 bits", changed(4, 1), "unsupported"],
    ["big-endian", changed(5, 2), "unsupported"],
    ["another machine", changed(18, 3), "unsupported"],
    ["more program headers than fit", changed(56, 100), "malformed"],
    ["absurdly many program headers", changed(56, 0xff, 0xff), "limit"],
    ["an empty file", Buffer.alloc(0), "malformed"],
  ])("%s is refused", (_, image, why) => {
    expect(elfFromBuffer("image", image)).toMatchObject({ ok: false, why });
  });

  test("a directory, a missing file and a device are refused", () => {
    expect(openElf(__dirname)).toMatchObject({ ok: false });
    expect(openElf("/nonexistent/file")).toMatchObject({ ok: false, why: "gone" });
    expect(openElf("/dev/null")).toMatchObject({ ok: false, why: "unsupported" });
  });

  test("any damage gives an answer or a refusal, never an exception", () => {
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 12 });
    fc.assert(
      fc.property(damage, fc.nat(good.length), (changes, length) => {
        const image = Buffer.from(good);
        for (const [at, value] of changes) image[at] = value;
        const elf = elfFromBuffer("image", image.subarray(0, length));
        const answers = elf.ok
          ? [
              elf.value.symbolsAt([1, 2 ** 40]),
              elf.value.symbolsWithPrefix("a"),
              elf.value.readAt(segmentVaddr, 8),
            ]
          : [elf];
        for (const answer of answers) expect(typeof answer.ok).toBe("boolean");
      }),
      { numRuns: 2000 },
    );
  });
});
