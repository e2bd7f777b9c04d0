// Looking up frame descriptions in real images, and in damaged ones.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { rowAt } from "../../../agent/stack/cfa-program";
import { findFde } from "../../../agent/stack/eh-frame";
import { type ElfFile, elfFromBuffer } from "../../../agent/stack/elf";
import { loadChain } from "./chain";

function open(image: Buffer): ElfFile {
  const elf = elfFromBuffer("image", image);
  if (!elf.ok) throw new Error(elf.detail);
  return elf.value;
}

describe.each(["x64", "arm64"] as const)("a frame description of %s", (machine) => {
  const chain = loadChain(machine);
  const image = readFileSync(chain.path);
  const elf = open(image);

  test("covers the function that the symbol table puts there", () => {
    for (const { address } of chain.frames) {
      const [symbol] = [elf.symbolsAt([address - 1])].map((found) => found.ok && found.value[0]);
      const fde = findFde(elf, address - 1);
      expect(fde).toMatchObject({ ok: true });
      expect(fde.ok && fde.value.low).toBe(symbol ? symbol.vaddr : null);
      expect(fde.ok && fde.value.high).toBe(symbol ? symbol.vaddr + symbol.bytes : null);
    }
  });

  test("has a row for every address that it covers", () => {
    for (const { address } of chain.frames) {
      const fde = findFde(elf, address - 1);
      if (!fde.ok) throw new Error(fde.detail);
      for (let at = fde.value.low; at < fde.value.high; at += 1) {
        expect(rowAt(fde.value, at)).toMatchObject({ ok: true });
      }
    }
  });

  test("is absent for addresses that no function has", () => {
    for (const vaddr of [0, 0x400000, 0x500000, 2 ** 47]) {
      expect(findFde(elf, vaddr)).toMatchObject({ ok: false, why: "gone" });
    }
  });

  test("in a damaged image is found or refused, never an exception", () => {
    const damage = fc.array(fc.tuple(fc.nat(image.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 40,
    });
    const target = chain.frames[2]?.address ?? 0;
    fc.assert(
      fc.property(damage, (changes) => {
        const copy = Buffer.from(image);
        for (const [at, value] of changes) copy[at] = value;
        const opened = elfFromBuffer("image", copy);
        const fde = opened.ok ? findFde(opened.value, target) : opened;
        const row = fde.ok ? rowAt(fde.value, target) : fde;
        expect(typeof row.ok).toBe("boolean");
      }),
      { numRuns: 1500 },
    );
  });
});
