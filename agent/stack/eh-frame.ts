// Finds the call frame information of one address in an ELF image: a binary search in .eh_frame_hdr,
// then one FDE and its CIE from .eh_frame. Watchdog thread.
// Format: LSB Core 5.0, 10.6 (.eh_frame, .eh_frame_hdr); DWARF 5, 6.4.1.

import { fail, type Result, succeed } from "../model/result";
import {
  atEnd,
  type Cursor,
  cursorOn,
  readBytes,
  readPointer,
  readSleb,
  readU8,
  readU32,
  readUleb,
} from "./dwarf-cursor";
import { type ElfFile, segmentTypes } from "./elf";

/** A frame description entry with what its CIE says for it. */
export interface Fde {
  /** First address it covers, as the file counts; for a function's main part, its entry. */
  readonly low: number;
  /** The first address after it. */
  readonly high: number;
  readonly codeAlign: number;
  readonly dataAlign: number;
  readonly returnRegister: number;
  /** A signal frame's pc was interrupted, not called from (augmentation "S"). */
  readonly isSignalFrame: boolean;
  readonly initialProgram: Buffer;
  readonly program: Buffer;
  /** Encoding of addresses in the program (DW_CFA_set_loc), and where the program lies. */
  readonly pointerEncoding: number;
  readonly programVaddr: number;
}

/** `.eh_frame_hdr` with a sorted table of (start, FDE) pairs, each sdata4 relative to the header. */
const sortedTableEncoding = 0x3b;
const hdrBytes = 4;
const hdrReadBytes = 20;
const pairBytes = 8;
/** Node 26 has 130 000 entries. */
const pairsMax = 8_000_000;
/** The binary search reads single pairs until this many are left, then these in one read. */
const pairsAtOnce = 256;
/** The longest FDE in node 26 has less than 4 KiB. */
const recordBytesMax = 65_536;

/** Fails with `gone` where no entry covers the address: code without call frame information. */
export function findFde(elf: ElfFile, vaddr: number): Result<Fde> {
  const hdr = elf.segment(segmentTypes.ehFrame);
  if (hdr === null) return fail("gone", `${elf.path} has no .eh_frame_hdr`);
  const head = elf.readAt(hdr.vaddr, Math.min(hdrReadBytes, hdr.memoryBytes));
  if (!head.ok) return head;
  const cursor = cursorOn(head.value);
  const [version, frameEncoding, countEncoding, tableEncoding] = readBytes(cursor, hdrBytes);
  readPointer(cursor, frameEncoding ?? 0, hdr.vaddr, hdr.vaddr);
  const count = readPointer(cursor, countEncoding ?? 0, hdr.vaddr, hdr.vaddr);
  if (cursor.broken || version !== 1 || count === null || tableEncoding !== sortedTableEncoding) {
    return fail("unsupported", `${elf.path}: an .eh_frame_hdr without a sorted table`);
  }
  if (!(count > 0 && count <= pairsMax)) return fail("malformed", `${elf.path}: ${count} FDEs`);
  const table = { elf, base: hdr.vaddr, vaddr: hdr.vaddr + cursor.at };
  const found = searchTable(table, count, vaddr);
  if (!found.ok) return found;
  const fde = readFde(elf, found.value, hdr.vaddr);
  if (!fde.ok) return fde;
  return vaddr >= fde.value.low && vaddr < fde.value.high
    ? fde
    : fail("gone", `${elf.path} describes no frame at 0x${vaddr.toString(16)}`);
}

interface Table {
  readonly elf: ElfFile;
  readonly base: number;
  readonly vaddr: number;
}

/** Address of the FDE of the last pair that starts at or before `vaddr`. */
function searchTable(table: Table, count: number, vaddr: number): Result<number> {
  let low = 0;
  let high = count;
  while (high - low > pairsAtOnce) {
    const middle = Math.floor((low + high) / 2);
    const pair = table.elf.readAt(table.vaddr + middle * pairBytes, pairBytes);
    if (!pair.ok) return pair;
    if (table.base + pair.value.readInt32LE(0) <= vaddr) low = middle;
    else high = middle;
  }
  const rest = table.elf.readAt(table.vaddr + low * pairBytes, (high - low) * pairBytes);
  if (!rest.ok) return rest;
  let fde: number | null = null;
  for (let at = 0; at < rest.value.length; at += pairBytes) {
    if (table.base + rest.value.readInt32LE(at) > vaddr) break;
    fde = table.base + rest.value.readInt32LE(at + 4);
  }
  return fde === null
    ? fail("gone", `${table.elf.path} describes no frame at 0x${vaddr.toString(16)}`)
    : succeed(fde);
}

interface FrameRecord {
  /** After the length field; `data[0]` is at `vaddr`. */
  readonly cursor: Cursor;
  readonly vaddr: number;
}

function readRecord(elf: ElfFile, vaddr: number): Result<FrameRecord> {
  const lengthField = elf.readAt(vaddr, 4);
  if (!lengthField.ok) return lengthField;
  const length = lengthField.value.readUInt32LE(0);
  // 0xffffffff announces the 64-bit form, which no linker writes into .eh_frame of such a size.
  if (length < 4 || length > recordBytesMax) {
    return fail("malformed", `${elf.path}: a frame record of ${length} bytes`);
  }
  const body = elf.readAt(vaddr + 4, length);
  return body.ok ? succeed({ cursor: cursorOn(body.value), vaddr: vaddr + 4 }) : body;
}

function readFde(elf: ElfFile, fdeVaddr: number, hdrVaddr: number): Result<Fde> {
  const record = readRecord(elf, fdeVaddr);
  if (!record.ok) return record;
  const { cursor, vaddr } = record.value;
  const cieDistance = readU32(cursor);
  if (cieDistance === 0) return fail("malformed", `${elf.path}: a CIE where an FDE belongs`);
  const cie = readCie(elf, vaddr - cieDistance, hdrVaddr);
  if (!cie.ok) return cie;
  const low = readPointer(cursor, cie.value.pointerEncoding, vaddr, hdrVaddr);
  // The length has the same format but is never relative.
  const length = readPointer(cursor, cie.value.pointerEncoding & 0x0f, vaddr, hdrVaddr);
  if (cie.value.hasAugmentationData) readBytes(cursor, readUleb(cursor));
  const programVaddr = vaddr + cursor.at;
  const program = readBytes(cursor, cursor.end - cursor.at);
  if (cursor.broken || low === null || length === null) {
    return fail("malformed", `${elf.path}: a broken FDE at 0x${fdeVaddr.toString(16)}`);
  }
  return succeed({ ...cie.value, low, high: low + length, program, programVaddr });
}

type Cie = Omit<Fde, "low" | "high" | "program" | "programVaddr"> & {
  readonly hasAugmentationData: boolean;
};

function readCie(elf: ElfFile, cieVaddr: number, hdrVaddr: number): Result<Cie> {
  const record = readRecord(elf, cieVaddr);
  if (!record.ok) return record;
  const { cursor, vaddr } = record.value;
  const id = readU32(cursor);
  const version = readU8(cursor);
  if (id !== 0 || (version !== 1 && version !== 3)) {
    return fail("malformed", `${elf.path}: no CIE at 0x${cieVaddr.toString(16)}`);
  }
  const augmentation = readText(cursor);
  const codeAlign = readUleb(cursor);
  const dataAlign = readSleb(cursor);
  const returnRegister = version === 1 ? readU8(cursor) : readUleb(cursor);
  const data = readAugmentation(cursor, augmentation, vaddr, hdrVaddr);
  const initialProgram = readBytes(cursor, cursor.end - cursor.at);
  if (cursor.broken) return fail("malformed", `${elf.path}: a broken CIE`);
  return succeed({ codeAlign, dataAlign, returnRegister, initialProgram, ...data });
}

/** Letters R (pointer encoding), P (personality), L (LSDA encoding), S (signal), B (arm64 key B). */
function readAugmentation(cursor: Cursor, letters: string, vaddr: number, hdrVaddr: number) {
  const hasAugmentationData = letters.startsWith("z");
  // Without "z" an unknown letter leaves no way to find the program.
  if (!hasAugmentationData && letters !== "") cursor.broken = true;
  const length = hasAugmentationData ? readUleb(cursor) : 0;
  const end = cursor.at + length;
  const pointerEncoding = readLetters(cursor, letters.slice(1), vaddr, hdrVaddr);
  if (end > cursor.end) cursor.broken = true;
  cursor.at = Math.min(end, cursor.end);
  return { pointerEncoding, hasAugmentationData, isSignalFrame: letters.includes("S") };
}

/** The pointer encoding; the length of the data lets letters that are not known be skipped. */
function readLetters(cursor: Cursor, letters: string, vaddr: number, hdrVaddr: number): number {
  for (const letter of letters) {
    if (letter === "R") return readU8(cursor);
    if (letter === "L") readU8(cursor);
    else if (letter === "P") readPointer(cursor, readU8(cursor), vaddr, hdrVaddr);
    else if (letter !== "S" && letter !== "B") break;
  }
  return 0;
}

function readText(cursor: Cursor): string {
  let text = "";
  for (let byte = readU8(cursor); byte !== 0 && !atEnd(cursor); byte = readU8(cursor)) {
    text += String.fromCharCode(byte);
  }
  return text;
}
