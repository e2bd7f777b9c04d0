// Which ELF image stands behind an executable mapping, and where it was loaded. Images stay open
// between examinations, a bounded number of them. Watchdog thread.

import type { MapRegion, Maps } from "../kernel/maps";
import { fail, type Result, succeed } from "../model/result";
import { address, bytes } from "../model/units";
import { type ElfFile, type ElfSegment, elfFromBuffer, openElf, segmentTypes } from "./elf";
import { type Memory, selfExecutablePath } from "./memory";

/** A mapped ELF image: an address in memory is `bias` plus the address its tables count. */
export interface ModuleImage {
  readonly path: string;
  readonly elf: ElfFile;
  readonly bias: number;
  /** Names found so far, by address in the file; owned by symbolize.ts. */
  readonly names: Map<number, string | null>;
}

export interface ModuleImages {
  /**
   * The image mapped at `region`. Fails with `gone` for memory without a file, and with
   * `malformed` when the file at that path is not the one that was mapped (it was replaced).
   */
  imageOf(region: MapRegion, maps: Maps, memory: Memory): Result<ModuleImage>;
  /** Closes all files. */
  close(): void;
}

/** A process has some 30 shared objects; one stack passes through ten at most. */
const imagesMax = 32;
const vdso = "[vdso]";
/** The vDSO has two pages on x86-64, up to four on arm64. */
const vdsoBytesMax = 65_536;
const deletedSuffix = " (deleted)";
const pageBytes = 4096;
/** Enough of .eh_frame_hdr to differ between two builds: its counts and first entries. */
const fingerprintBytes = 128;
const notesBytesMax = 1024;

export function createModuleImages(): ModuleImages {
  const images = new Map<string, Result<ModuleImage>>();
  const imageOf = (region: MapRegion, maps: Maps, memory: Memory): Result<ModuleImage> => {
    if (!(region.path.startsWith("/") || region.path === vdso)) {
      return fail("gone", `no file is mapped at 0x${region.low.toString(16)}`);
    }
    const key = `${region.path} ${region.inode} ${region.low - region.offset}`;
    const known = images.get(key);
    if (known !== undefined) {
      images.delete(key);
      images.set(key, known);
      return known;
    }
    const image = loadImage(region, maps, memory);
    images.set(key, image);
    evict(images);
    return image;
  };
  const close = (): void => {
    for (const image of images.values()) if (image.ok) image.value.elf.close();
    images.clear();
  };
  return { imageOf, close };
}

/** The least recently used image is the first: every use moves one to the end. */
function evict(images: Map<string, Result<ModuleImage>>): void {
  for (const [key, image] of images) {
    if (images.size <= imagesMax) return;
    if (image.ok) image.value.elf.close();
    images.delete(key);
  }
}

function loadImage(region: MapRegion, maps: Maps, memory: Memory): Result<ModuleImage> {
  const opened = region.path === vdso ? openVdso(region, memory) : openMapped(region.path);
  if (!opened.ok) return opened;
  const elf = opened.value;
  const bias = loadBias(elf, region);
  // V8 maps its builtins a second time, near its heap, so this region's own bias may show nothing
  // but them: the file is the right one if it is at any place where the same file is mapped.
  const isMapped = maps.regions
    .filter(({ path, inode }) => path === region.path && inode === region.inode)
    .some((other) => isMappedImage(elf, loadBias(elf, other), memory));
  if (bias !== null && isMapped) {
    return succeed({ path: region.path, elf, bias, names: new Map() });
  }
  elf.close();
  return fail("malformed", `the file at ${region.path} is not the one that is mapped`);
}

/** A deleted file can only be read when it is the running executable itself. */
function openMapped(path: string): Result<ElfFile> {
  return path.endsWith(deletedSuffix) ? openElf(selfExecutablePath) : openElf(path);
}

function openVdso(region: MapRegion, memory: Memory): Result<ElfFile> {
  const length = region.high - region.low;
  if (length > vdsoBytesMax) return fail("limit", `a vDSO of ${length} bytes`);
  const image = memory.read(region.low, bytes(length));
  return image.ok ? elfFromBuffer(region.path, image.value) : image;
}

/** From the segment whose file pages the region shows; null when none does. */
function loadBias(elf: ElfFile, region: MapRegion): number | null {
  const shows = (segment: ElfSegment): boolean =>
    region.offset >= segment.fileOffset - (segment.fileOffset % pageBytes) &&
    region.offset < segment.fileOffset + segment.fileBytes &&
    segment.executable === region.executable;
  const segment = elf.loadSegments.find(shows);
  return segment === undefined
    ? null
    : region.low - (region.offset - segment.fileOffset + segment.vaddr);
}

/** Compares notes (the build id is one) and the head of .eh_frame_hdr; an image without both is refused. */
function isMappedImage(elf: ElfFile, bias: number | null, memory: Memory): boolean {
  if (bias === null) return false;
  const notes = elf.segments.filter(({ type }) => type === segmentTypes.note);
  const ehFrame = elf.segments.filter(({ type }) => type === segmentTypes.ehFrame);
  const pieces = [
    ...notes.map((note) => ({ at: note.vaddr, length: Math.min(note.fileBytes, notesBytesMax) })),
    ...ehFrame.map((hdr) => ({
      at: hdr.vaddr,
      length: Math.min(hdr.fileBytes, fingerprintBytes),
    })),
  ].filter(({ length }) => length > 0);
  const isEqual = ({ at, length }: { at: number; length: number }): boolean => {
    const stored = elf.readAt(at, length);
    const mapped = memory.read(address(bias + at), bytes(length));
    return stored.ok && mapped.ok && stored.value.equals(mapped.value);
  };
  return pieces.length > 0 && pieces.every(isEqual);
}
