// The address space of this process: which file is mapped where. Watchdog thread only.
// Source: proc_pid_maps(5); fs/proc/task_mmu.c show_map_vma() in Linux v6.12.

import { fail, type Result, succeed } from "../model/result";
import { type Address, address, type Bytes, bytes } from "../model/units";
import type { ProcRoot } from "./proc-root";

/** One mapping: `low` is its first address, `high` the first one after it. */
export interface MapRegion {
  readonly low: Address;
  readonly high: Address;
  readonly readable: boolean;
  readonly executable: boolean;
  /** Where in the file the mapping begins, in bytes; 0 if anonymous. */
  readonly offset: number;
  /** 0 if anonymous. */
  readonly inode: number;
  /**
   * The file's path with newlines decoded, `[stack]` and the like for the kernel's own names, ""
   * if anonymous. A file unlinked since keeps the kernel's suffix: see isDeletedFile().
   */
  readonly path: string;
}

export interface Maps {
  /** Ascending and disjoint. */
  readonly regions: readonly MapRegion[];
  /** The region that holds `at`, or null. O(log n). */
  find(at: Address): MapRegion | null;
}

/**
 * A busy Node process has 300 to 3000 mappings of about 100 bytes. The kernel allows 65530 by
 * default (vm.max_map_count); a process near that is read up to here and no further.
 */
export const MAPS_TEXT_MAX: Bytes = bytes(8 * 1024 * 1024);

const DELETED_SUFFIX = " (deleted)";

//                      low         high        perms             offset      device            inode  path
const LINE =
  /^([0-9a-f]+)-([0-9a-f]+) ([r-])[w-]([x-])[ps] ([0-9a-f]+) [0-9a-f]+:[0-9a-f]+ (\d+) *(.*)$/s;

/** Reads self/maps. Costs about 0.4 ms; fails as ProcRoot.readText and parseMaps do. */
export function readMaps(proc: ProcRoot): Result<Maps> {
  const text = proc.readText("self/maps", MAPS_TEXT_MAX);
  return text.ok ? parseMaps(text.value) : text;
}

/**
 * Fails `gone` on an empty text, which is what an exited process has, and `malformed` when any line
 * is not a mapping or the lines are not in ascending order: a wrong map names the wrong module.
 */
export function parseMaps(text: string): Result<Maps> {
  if (text === "") return fail("gone", "maps is empty: the process has no address space any more");
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const regions: MapRegion[] = [];
  let previousHigh = 0;
  for (const [index, line] of lines.entries()) {
    const region = parseLine(line);
    if (region === null || region.low < previousHigh || region.high <= region.low) {
      return fail("malformed", `maps line ${index + 1} is not a mapping in order`);
    }
    regions.push(region);
    previousHigh = region.high;
  }
  return succeed({ regions, find: (at) => findRegion(regions, at) });
}

/**
 * Whether the mapped file was unlinked or replaced since, as after an upgrade in place: the bytes at
 * that path are then not the mapped ones. A file really named so cannot be told apart.
 */
export function isDeletedFile(region: MapRegion): boolean {
  return region.inode !== 0 && region.path.endsWith(DELETED_SUFFIX);
}

/** The path without the kernel's suffix for unlinked files. */
export function originalPath(region: MapRegion): string {
  return isDeletedFile(region) ? region.path.slice(0, -DELETED_SUFFIX.length) : region.path;
}

function parseLine(line: string): MapRegion | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const [, low = "", high = "", read, execute, offset = "", inode = "", path = ""] = match;
  return {
    low: address(Number.parseInt(low, 16)),
    high: address(Number.parseInt(high, 16)),
    readable: read === "r",
    executable: execute === "x",
    offset: Number.parseInt(offset, 16),
    inode: Number(inode),
    // seq_path() escapes the newline alone, and no backslash.
    path: path.includes("\\012") ? path.replaceAll("\\012", "\n") : path,
  };
}

function findRegion(regions: readonly MapRegion[], at: Address): MapRegion | null {
  let first = 0;
  let afterLast = regions.length;
  while (first < afterLast) {
    const middle = (first + afterLast) >>> 1;
    const region = regions[middle];
    if (region === undefined) return null;
    if (at < region.low) afterLast = middle;
    else if (at >= region.high) first = middle + 1;
    else return region;
  }
  return null;
}
