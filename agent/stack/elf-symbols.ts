// Finds symbols in an ELF image by passes over its tables instead of by an index of them: node's
// .symtab has 112 000 to 168 000 entries, and an index would hold megabytes to save a few
// milliseconds that are spent while the application is blocked anyway. Watchdog thread.

import { fail, type Result, succeed } from "../model/result";
import type { ElfBytes } from "./elf-bytes";

export interface ElfSymbol {
  /** As the table holds it: mangled, and without a version. */
  readonly name: string;
  readonly vaddr: number;
  readonly bytes: number;
  readonly kind: "function" | "object" | "other";
}

/** A symbol table section with the string table it links to. */
export interface SymbolSource {
  readonly symbols: { readonly fileOffset: number; readonly bytes: number };
  readonly strings: { readonly fileOffset: number; readonly bytes: number };
}

/** Elf64_Sym: name u32, info u8, other u8, section u16, value u64, size u64; six 32-bit words. */
const entryBytes = 24;
const entryWords = 6;
const entriesPerPiece = 2048;
/** One for all passes, which follow each other on this one thread: 48 KiB instead of megabytes of garbage. */
const piece = new Uint8Array(entriesPerPiece * entryBytes);
/** Ten times node's largest table. */
const entriesMax = 2_000_000;
const stringsBytesMax = 268_435_456;
const stringsPieceBytes = 262_144;
/** The longest name in node 26 has about 2 000 characters; what is longer is cut. */
const nameBytesMax = 4096;
/** Names that share one address: glibc has up to five; more say nothing new. */
const aliasesMax = 8;
const prefixHitsMax = 100_000;
/** One stack at most; keeps the inner loop of a pass short. */
const addressesMax = 512;

/** See ElfFile.symbolsWithPrefix. */
export function findSymbolsWithPrefix(
  source: ElfBytes,
  tables: readonly SymbolSource[],
  prefix: string,
): Result<readonly ElfSymbol[]> {
  if (prefix.length === 0) return fail("malformed", "an empty symbol prefix");
  const found = new Map<string, ElfSymbol>();
  for (const { symbols, strings } of tables) {
    const names = namesWithPrefix(source, strings, prefix);
    if (!names.ok) return names;
    if (names.value.size === 0) continue;
    const pass = forEachSymbol(source, symbols, (words, at) => {
      const name = names.value.get(words[at] as number);
      if (name === undefined || sectionOf(words, at) === 0) return;
      const symbol = symbolFrom(words, at, name);
      found.set(`${name} ${symbol.vaddr}`, symbol);
    });
    if (!pass.ok) return pass;
  }
  return succeed([...found.values()]);
}

/** See ElfFile.symbolsAt. */
export function findSymbolsAt(
  source: ElfBytes,
  tables: readonly SymbolSource[],
  vaddrs: readonly number[],
): Result<readonly (ElfSymbol | null)[]> {
  if (vaddrs.length > addressesMax) return fail("limit", `${vaddrs.length} addresses at once`);
  const answers = new Map<number, ElfSymbol>();
  for (const table of tables) {
    const open = [...new Set(vaddrs)].filter((vaddr) => !answers.has(vaddr));
    if (open.length === 0) break;
    const covers = coversOf(source, table, open);
    if (!covers.ok) return covers;
    for (const [vaddr, cover] of covers.value) {
      const symbol = bestAlias(source, table, cover);
      if (symbol !== null) answers.set(vaddr, symbol);
    }
  }
  return succeed(vaddrs.map((vaddr) => answers.get(vaddr) ?? null));
}

interface Cover {
  vaddr: number;
  bytes: number;
  /** Offset of the name in the string table, and whether the symbol is global or weak. */
  readonly aliases: { readonly nameOffset: number; readonly exported: boolean }[];
}

/** The innermost function symbol around each address; a symbol without a size covers nothing. */
function coversOf(
  source: ElfBytes,
  table: SymbolSource,
  vaddrs: readonly number[],
): Result<ReadonlyMap<number, Cover>> {
  const covers = new Map<number, Cover>();
  const [low, high] = [Math.min(...vaddrs), Math.max(...vaddrs)];
  const pass = forEachSymbol(source, table.symbols, (words, at) => {
    const start = vaddrOf(words, at);
    const size = sizeOf(words, at);
    if (start > high || start + size <= low || size === 0) return;
    if (kindOf(words, at) !== "function" || sectionOf(words, at) === 0) return;
    for (const vaddr of vaddrs) {
      if (vaddr >= start && vaddr < start + size) addCover(covers, vaddr, words, at);
    }
  });
  return pass.ok ? succeed(covers) : pass;
}

function addCover(covers: Map<number, Cover>, vaddr: number, words: Uint32Array, at: number): void {
  const [start, size] = [vaddrOf(words, at), sizeOf(words, at)];
  const known = covers.get(vaddr);
  const alias = { nameOffset: words[at] as number, exported: bindingOf(words, at) !== 0 };
  if (known === undefined || start > known.vaddr) {
    covers.set(vaddr, { vaddr: start, bytes: size, aliases: [alias] });
  } else if (start === known.vaddr && known.aliases.length < aliasesMax) {
    known.aliases.push(alias);
  }
}

/** Of `__read`, `read` and `__libc_read` people know `read`: exported, fewest underscores, shortest. */
function bestAlias(source: ElfBytes, table: SymbolSource, cover: Cover): ElfSymbol | null {
  const named = cover.aliases.flatMap(({ nameOffset, exported }) => {
    const name = nameAt(source, table.strings, nameOffset);
    if (name === null || name === "") return [];
    const underscores = /^_(?!Z)_*/.exec(name)?.[0].length ?? 0;
    return [{ name, rank: (exported ? 0 : 1e6) + underscores * 1e4 + name.length }];
  });
  named.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
  const best = named[0];
  if (best === undefined) return null;
  return { name: best.name, vaddr: cover.vaddr, bytes: cover.bytes, kind: "function" };
}

/** Visits all entries in pieces; `words[at]` is the first of the entry's six 32-bit words. */
function forEachSymbol(
  source: ElfBytes,
  table: SymbolSource["symbols"],
  visit: (words: Uint32Array, at: number) => void,
): Result<void> {
  const count = Math.floor(table.bytes / entryBytes);
  if (!(count <= entriesMax)) return fail("limit", `a symbol table of ${table.bytes} bytes`);
  for (let first = 0; first < count; first += entriesPerPiece) {
    const entries = Math.min(entriesPerPiece, count - first);
    const into = piece.subarray(0, entries * entryBytes);
    const filled = source.fill(table.fileOffset + first * entryBytes, into);
    if (!filled.ok) return filled;
    const words = new Uint32Array(piece.buffer, 0, entries * entryWords);
    for (let at = 0; at < words.length; at += entryWords) visit(words, at);
  }
  return succeed(undefined);
}

/**
 * Offset and text of every string that starts with `prefix`. Linkers share tails, so a name may begin
 * in the middle of another; whether a hit is a symbol's name is decided by the symbol table.
 */
function namesWithPrefix(
  source: ElfBytes,
  strings: SymbolSource["strings"],
  prefix: string,
): Result<ReadonlyMap<number, string>> {
  if (!(strings.bytes <= stringsBytesMax)) return fail("limit", `${strings.bytes} bytes of names`);
  const names = new Map<number, string>();
  const buffer = Buffer.allocUnsafe(Math.min(strings.bytes, stringsPieceBytes + nameBytesMax));
  for (let base = 0; base < strings.bytes; base += stringsPieceBytes) {
    const length = Math.min(buffer.length, strings.bytes - base);
    const piece = buffer.subarray(0, length);
    const filled = source.fill(strings.fileOffset + base, piece);
    if (!filled.ok) return filled;
    // What starts in the overlap belongs to the next piece, which has its whole length.
    const end = Math.min(stringsPieceBytes, length);
    for (let at = piece.indexOf(prefix); at >= 0 && at < end; at = piece.indexOf(prefix, at + 1)) {
      if (names.size >= prefixHitsMax) return fail("limit", `more than ${prefixHitsMax} names`);
      names.set(base + at, textUntilZero(piece.subarray(at, at + nameBytesMax)));
    }
  }
  return succeed(names);
}

function nameAt(source: ElfBytes, strings: SymbolSource["strings"], offset: number): string | null {
  if (offset >= strings.bytes) return null;
  const read = source.read(
    strings.fileOffset + offset,
    Math.min(nameBytesMax, strings.bytes - offset),
  );
  return read.ok ? textUntilZero(read.value) : null;
}

function textUntilZero(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString("latin1", 0, end < 0 ? buffer.length : end);
}

function symbolFrom(words: Uint32Array, at: number, name: string): ElfSymbol {
  return { name, vaddr: vaddrOf(words, at), bytes: sizeOf(words, at), kind: kindOf(words, at) };
}

const wordAt = (words: Uint32Array, at: number): number => words[at] ?? 0;
const vaddrOf = (words: Uint32Array, at: number): number =>
  wordAt(words, at + 2) + wordAt(words, at + 3) * 2 ** 32;
const sizeOf = (words: Uint32Array, at: number): number =>
  wordAt(words, at + 4) + wordAt(words, at + 5) * 2 ** 32;
const sectionOf = (words: Uint32Array, at: number): number => wordAt(words, at + 1) >>> 16;
const bindingOf = (words: Uint32Array, at: number): number => (wordAt(words, at + 1) >>> 4) & 0xf;

/** STT_OBJECT 1, STT_FUNC 2, STT_GNU_IFUNC 10. */
function kindOf(words: Uint32Array, at: number): ElfSymbol["kind"] {
  const type = wordAt(words, at + 1) & 0xf;
  if (type === 2 || type === 10) return "function";
  return type === 1 ? "object" : "other";
}
