// Opens an ELF image and gives what a stack examination needs of it: segments, sections, bytes by
// virtual address, symbols. Watchdog thread. Every count and offset in the file is taken as hostile.
// Format: System V gABI, https://gabi.xinuos.com/ (chapters Object Files and Program Loading).

import { fail, type Result, succeed } from "../model/result";
import { bufferBytes, type ElfBytes, openFileBytes } from "./elf-bytes";
import { type ElfSymbol, findSymbolsAt, findSymbolsWithPrefix } from "./elf-symbols";
import { wordOf } from "./memory";

export interface ElfSegment {
  /** PT_LOAD is 1, PT_DYNAMIC 2, PT_NOTE 4, PT_GNU_EH_FRAME 0x6474e550. */
  readonly type: number;
  readonly executable: boolean;
  readonly fileOffset: number;
  readonly vaddr: number;
  readonly fileBytes: number;
  /** From `fileBytes` up to here the memory starts as zeros (.bss). */
  readonly memoryBytes: number;
}

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  /** Zero for a section that is not loaded, such as .symtab. */
  readonly vaddr: number;
  readonly fileOffset: number;
  readonly bytes: number;
  /** For a symbol table: the index of its string table. */
  readonly link: number;
}

export type SymbolTable = ".dynsym" | ".symtab";

export interface ElfFile {
  readonly path: string;
  readonly machine: "x64" | "arm64";
  readonly segments: readonly ElfSegment[];
  readonly loadSegments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
  /** The raw image, by file offset. */
  readonly bytes: ElfBytes;
  section(name: string): ElfSection | null;
  segment(type: number): ElfSegment | null;
  /** Null where no file byte stands behind the address (.bss, or no segment). */
  toFileOffset(vaddr: number): number | null;
  /** Bytes as the file holds them, before relocation; .bss reads as zeros. One segment at most. */
  readAt(vaddr: number, length: number): Result<Buffer>;
  /** A 32-bit signed value such as `v8dbg_*`; .bss gives 0. */
  int32At(vaddr: number): Result<number>;
  /**
   * All defined symbols whose name starts with `prefix`, unsorted; one pass over the string table
   * and one over the symbols (about 20 ms for node's .symtab, so keep the answer). Without `tables`
   * both are searched, and a symbol in both is given once.
   */
  symbolsWithPrefix(prefix: string, tables?: readonly SymbolTable[]): Result<readonly ElfSymbol[]>;
  /**
   * For each virtual address the function symbol that covers it, or null. One pass over .symtab,
   * or over .dynsym in a stripped image, for all addresses together.
   */
  symbolsAt(vaddrs: readonly number[]): Result<readonly (ElfSymbol | null)[]>;
  close(): void;
}

export type { ElfSymbol } from "./elf-symbols";

export const segmentTypes = { load: 1, dynamic: 2, note: 4, ehFrame: 0x6474e550 } as const;

const headerBytes = 64;
const programHeaderBytes = 56;
const sectionHeaderBytes = 64;
/** Real images have about 12 and 45; the limits leave room for odd ones and end hostile ones. */
const segmentsMax = 128;
const sectionsMax = 1024;
const sectionNamesBytesMax = 65_536;
/** e_machine: EM_X86_64 and EM_AARCH64. */
const machines: ReadonlyMap<number, "x64" | "arm64"> = new Map([
  [62, "x64"],
  [183, "arm64"],
]);

/** Opens the ELF file at `path` and reads its headers (about 5 KB). The caller closes it. */
export function openElf(path: string): Result<ElfFile> {
  const opened = openFileBytes(path);
  if (!opened.ok) return opened;
  const parsed = parseElf(path, opened.value);
  if (!parsed.ok) opened.value.close();
  return parsed;
}

/** An ELF image that is in memory as a whole: the vDSO, or one built by a test. */
export const elfFromBuffer = (path: string, image: Buffer): Result<ElfFile> =>
  parseElf(path, bufferBytes(image));

function parseElf(path: string, source: ElfBytes): Result<ElfFile> {
  const header = source.read(0, headerBytes);
  if (!header.ok) return fail("malformed", `${path}: no ELF header`);
  const machine = machineOf(path, header.value);
  if (!machine.ok) return machine;
  const segments = readSegments(path, source, header.value);
  if (!segments.ok) return segments;
  const sections = readSections(path, source, header.value);
  // A file without usable section headers still has segments, and with them .eh_frame_hdr.
  const found = sections.ok ? sections.value : [];
  return succeed(elfFile(path, machine.value, source, segments.value, found));
}

function elfFile(
  path: string,
  machine: "x64" | "arm64",
  source: ElfBytes,
  segments: readonly ElfSegment[],
  sections: readonly ElfSection[],
): ElfFile {
  const loadSegments = segments.filter((segment) => segment.type === segmentTypes.load);
  const section = (name: string): ElfSection | null =>
    sections.find((candidate) => candidate.name === name) ?? null;
  const readAt = (vaddr: number, length: number): Result<Buffer> =>
    readVirtual(path, source, loadSegments, vaddr, length);
  const tablesOf = (names: readonly SymbolTable[]) =>
    names.flatMap((name) => {
      const symbols = section(name);
      const strings = symbols === null ? undefined : sections[symbols.link];
      return symbols === null || strings === undefined ? [] : [{ symbols, strings }];
    });
  return {
    path,
    machine,
    segments,
    loadSegments,
    sections,
    bytes: source,
    section,
    segment: (type) => segments.find((candidate) => candidate.type === type) ?? null,
    toFileOffset: (vaddr) => fileOffsetOf(loadSegments, vaddr),
    readAt,
    int32At: (vaddr) => {
      const read = readAt(vaddr, 4);
      return read.ok ? succeed(read.value.readInt32LE(0)) : read;
    },
    symbolsWithPrefix: (prefix, tables = [".dynsym", ".symtab"]) =>
      findSymbolsWithPrefix(source, tablesOf(tables), prefix),
    symbolsAt: (vaddrs) => {
      // .symtab holds all that .dynsym has; a stripped image has the latter alone.
      const all = tablesOf([".symtab"]);
      return findSymbolsAt(source, all.length > 0 ? all : tablesOf([".dynsym"]), vaddrs);
    },
    close: source.close,
  };
}

function machineOf(path: string, header: Buffer): Result<"x64" | "arm64"> {
  if (header.readUInt32BE(0) !== 0x7f454c46) return fail("malformed", `${path} is no ELF file`);
  // e_ident[EI_CLASS] 2 is 64-bit, e_ident[EI_DATA] 1 is little-endian.
  if (header[4] !== 2 || header[5] !== 1) {
    return fail("unsupported", `${path} is not 64-bit little-endian`);
  }
  const number = header.readUInt16LE(18);
  const machine = machines.get(number);
  return machine === undefined
    ? fail("unsupported", `${path} is for ELF machine ${number}`)
    : succeed(machine);
}

function readSegments(path: string, source: ElfBytes, header: Buffer): Result<ElfSegment[]> {
  const count = header.readUInt16LE(56);
  if (count > segmentsMax) return fail("limit", `${path} claims ${count} program headers`);
  if (count > 0 && header.readUInt16LE(54) !== programHeaderBytes) {
    return fail("malformed", `${path}: program headers of an unknown size`);
  }
  const table = source.read(wordOf(header, 32), count * programHeaderBytes);
  if (!table.ok) return fail("malformed", `${path}: program headers lie outside the file`);
  const segments: ElfSegment[] = [];
  for (let at = 0; at < table.value.length; at += programHeaderBytes) {
    segments.push({
      type: table.value.readUInt32LE(at),
      executable: (table.value.readUInt32LE(at + 4) & 1) !== 0,
      fileOffset: wordOf(table.value, at + 8),
      vaddr: wordOf(table.value, at + 16),
      fileBytes: wordOf(table.value, at + 32),
      memoryBytes: wordOf(table.value, at + 40),
    });
  }
  return succeed(segments);
}

function readSections(path: string, source: ElfBytes, header: Buffer): Result<ElfSection[]> {
  const count = header.readUInt16LE(60);
  // A count of 0 with a table present is the extended numbering of more than 65279 sections.
  if (count > sectionsMax) return fail("limit", `${path} claims ${count} sections`);
  if (count > 0 && header.readUInt16LE(58) !== sectionHeaderBytes) {
    return fail("malformed", `${path}: section headers of an unknown size`);
  }
  const table = source.read(wordOf(header, 40), count * sectionHeaderBytes);
  if (!table.ok) return table;
  const raw = Array.from({ length: count }, (_, index) =>
    sectionAt(table.value, index * sectionHeaderBytes),
  );
  const strings = raw[header.readUInt16LE(62)];
  const names =
    strings === undefined
      ? null
      : source.read(strings.fileOffset, Math.min(strings.bytes, sectionNamesBytesMax));
  return succeed(
    raw.map(({ nameOffset, ...rest }) => ({
      ...rest,
      name: names?.ok ? stringAt(names.value, nameOffset) : "",
    })),
  );
}

function sectionAt(table: Buffer, at: number): Omit<ElfSection, "name"> & { nameOffset: number } {
  return {
    nameOffset: table.readUInt32LE(at),
    type: table.readUInt32LE(at + 4),
    vaddr: wordOf(table, at + 16),
    fileOffset: wordOf(table, at + 24),
    bytes: wordOf(table, at + 32),
    link: table.readUInt32LE(at + 40),
  };
}

function stringAt(names: Buffer, offset: number): string {
  const end = names.indexOf(0, offset);
  return end < 0 ? "" : names.toString("latin1", offset, end);
}

function segmentOf(segments: readonly ElfSegment[], vaddr: number): ElfSegment | null {
  return (
    segments.find(
      (segment) => vaddr >= segment.vaddr && vaddr - segment.vaddr < segment.memoryBytes,
    ) ?? null
  );
}

function fileOffsetOf(segments: readonly ElfSegment[], vaddr: number): number | null {
  const segment = segmentOf(segments, vaddr);
  if (segment === null || vaddr - segment.vaddr >= segment.fileBytes) return null;
  return segment.fileOffset + (vaddr - segment.vaddr);
}

function readVirtual(
  path: string,
  source: ElfBytes,
  segments: readonly ElfSegment[],
  vaddr: number,
  length: number,
): Result<Buffer> {
  const segment = segmentOf(segments, vaddr);
  if (segment === null) return fail("gone", `${path} maps nothing at 0x${vaddr.toString(16)}`);
  const start = vaddr - segment.vaddr;
  if (length > segment.memoryBytes - start) {
    return fail(
      "malformed",
      `${path}: ${length} bytes at 0x${vaddr.toString(16)} leave the segment`,
    );
  }
  const stored = Math.max(0, Math.min(length, segment.fileBytes - start));
  if (stored === length) return source.read(segment.fileOffset + start, length);
  if (length > headerBytes) return fail("limit", `${path}: a long read of zeros`);
  const head =
    stored > 0 ? source.read(segment.fileOffset + start, stored) : succeed(Buffer.alloc(0));
  return head.ok ? succeed(Buffer.concat([head.value], length)) : head;
}
