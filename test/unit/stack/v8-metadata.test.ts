import { describe, expect, test } from "@jest/globals";
import { fail, succeed } from "../../../agent/model/result";
import { type ElfFile, openElf } from "../../../agent/stack/elf";
import { selfExecutablePath } from "../../../agent/stack/memory";
import { loadV8Metadata } from "../../../agent/stack/v8-metadata";
import { knownV8Versions, layoutOf } from "../../../agent/stack/v8-versions";

const running = openElf(selfExecutablePath);
if (!running.ok) throw new Error(running.detail);
const elf: ElfFile = running.value;

/** The running binary with one v8dbg_ symbol left out or changed. */
function altered(name: string, value: number | null): ElfFile {
  const all = elf.symbolsWithPrefix("v8dbg_");
  if (!all.ok) throw new Error(all.detail);
  const kept = all.value.filter((symbol) => value !== null || !symbol.name.includes(name));
  const changed = new Set(
    kept.filter((symbol) => symbol.name.includes(name)).map((symbol) => symbol.vaddr),
  );
  return {
    ...elf,
    symbolsWithPrefix: (prefix) =>
      prefix === "v8dbg_" ? succeed(kept) : elf.symbolsWithPrefix(prefix),
    int32At: (vaddr) => (changed.has(vaddr) ? succeed(value ?? 0) : elf.int32At(vaddr)),
  };
}

describe("loadV8Metadata", () => {
  test("reads the binary that runs this test", () => {
    const v8 = loadV8Metadata(elf);
    expect(v8).toMatchObject({ ok: true, value: { version: process.versions.v8 } });
  });

  test("refuses a version it has no layout for, naming those it has", () => {
    const refused = loadV8Metadata(elf, "12.9.202.28-node.14");
    expect(refused).toMatchObject({ ok: false, why: "unsupported" });
    expect(refused.ok ? "" : refused.detail).toContain(knownV8Versions.join(", "));
  });

  test("names the constant that the binary lacks", () => {
    const refused = loadV8Metadata(altered("class_Script__source__", null));
    expect(refused.ok ? "" : refused.detail).toContain("class_Script__source__");
  });

  test.each([
    ["TaggedSize", 4],
    ["class_BytecodeArray__data__uintptr_t", 128],
    ["CodeKindBaseline", 3],
  ])("refuses a build whose %s is another", (name, value) => {
    const refused = loadV8Metadata(altered(name, value));
    expect(refused.ok ? "" : refused.detail).toContain(`v8dbg_${name} is ${value}`);
  });

  test("refuses a binary without V8, and passes on what the ELF reader says", () => {
    const empty: ElfFile = { ...elf, symbolsWithPrefix: () => succeed([]) };
    const broken: ElfFile = { ...elf, symbolsWithPrefix: () => fail("malformed", "cut off") };
    expect(loadV8Metadata(empty)).toMatchObject({ ok: false, why: "unsupported" });
    expect(loadV8Metadata(broken)).toMatchObject({ ok: false, detail: "cut off" });
  });

  test("goes without the bytecode table of a stripped binary", () => {
    const stripped: ElfFile = {
      ...elf,
      symbolsWithPrefix: (prefix) =>
        prefix === "v8dbg_" ? elf.symbolsWithPrefix(prefix) : succeed([]),
    };
    expect(loadV8Metadata(stripped)).toMatchObject({ ok: true, value: { bytecodeSizes: null } });
  });
});

describe("layoutOf", () => {
  test("takes the patch level and node's suffix as no difference", () => {
    expect(layoutOf("13.6.1.2")).toBe(layoutOf("13.6.233.17-node.53"));
    expect([layoutOf("13.60.1"), layoutOf("3.6"), layoutOf("")]).toEqual([null, null, null]);
  });
});
