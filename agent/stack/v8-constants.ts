// The integers that V8 exports for post-mortem debuggers, by name. Watchdog thread. Names carry the C++
// type of a field at their end, which changes between versions, so they are also found without it.
// Source: tools/gen-postmortem-metadata.py at the tags in v8-versions.ts.

import { fail, type Result, succeed } from "../model/result";
import type { ElfFile } from "./elf";

const prefix = "v8dbg_";

/** The symbols with the prefix taken off; a reader that remembers what it did not find. */
export class Constants {
  readonly missing: string[] = [];
  private readonly values: ReadonlyMap<string, number>;

  constructor(values: ReadonlyMap<string, number>) {
    this.values = values;
  }

  /** The first of `names` that is there; a name ending in `__` matches any type after it. */
  find(...names: readonly string[]): number | null {
    for (const name of names) {
      const exact = this.values.get(name);
      if (exact !== undefined) return exact;
      if (!name.endsWith("__")) continue;
      for (const [key, value] of this.values) if (key.startsWith(name)) return value;
    }
    return null;
  }

  need(...names: readonly string[]): number {
    const value = this.find(...names);
    if (value === null) this.missing.push(names.join(" or "));
    return value ?? 0;
  }

  /** Those of `names` that this version has. */
  present(...names: readonly string[]): readonly number[] {
    return names.flatMap((name) => this.find(name) ?? []);
  }
}

/** Fails `unsupported` when the binary exports none. One pass over its symbols. */
export function readConstants(elf: ElfFile): Result<Constants> {
  const symbols = elf.symbolsWithPrefix(prefix);
  if (!symbols.ok) return symbols;
  const values = new Map<string, number>();
  for (const symbol of symbols.value) {
    const value = elf.int32At(symbol.vaddr);
    if (value.ok) values.set(symbol.name.slice(prefix.length), value.value);
  }
  return values.size > 0
    ? succeed(new Constants(values))
    : fail("unsupported", `${elf.path} exports no v8dbg_ symbols`);
}
