// Leads from a place in a script to the place in its source, by the source map that the script on disk
// names (`//# sourceMappingURL=`, a file or inline). Watchdog thread, for incidents alone. A script that
// was changed after the process began is not what runs, and is left as it is.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsFrame } from "../model/stack";
import { findOriginal, parseSourceMap, type SourceMap } from "./source-map";

export type SourceSite = NonNullable<JsFrame["source"]>;

export interface SourceMaps {
  /** Null where there is no map, or it does not say. Some milliseconds at a map's first use. */
  sourceOf(frame: JsFrame): SourceSite | null;
}

/** The watchdog's heap has 96 MiB, and reading a map takes several times its length for a moment. */
const mapBytesMax = 8 * 1024 * 1024;
/** Text of mappings that is kept between incidents. */
const keptBytesMax = 16 * 1024 * 1024;
const scriptsMax = 256;
/** A reference to a file stands in the last line; an inline map is as long as it is. */
const tailBytes = 64 * 1024;

interface Loaded {
  readonly map: SourceMap;
  readonly folder: string;
}

/** `startedEpochMs`: when this process began; files changed since then say nothing of it. */
export function createSourceMaps(startedEpochMs: number): SourceMaps {
  const loaded = new Map<string, Loaded | null>();
  let keptBytes = 0;
  const mapOf = (script: string): Loaded | null => {
    const known = loaded.get(script);
    if (known !== undefined) return known;
    if (loaded.size >= scriptsMax || keptBytes >= keptBytesMax) {
      loaded.clear();
      keptBytes = 0;
    }
    const map = load(script, startedEpochMs);
    loaded.set(script, map);
    keptBytes += map?.map.mappings.length ?? 0;
    return map;
  };
  return {
    sourceOf(frame) {
      const path = pathOf(frame.script);
      if (path === null || frame.line === null || frame.column === null) return null;
      const found = mapOf(path);
      const place = found === null ? null : findOriginal(found.map, frame.line, frame.column);
      const source = place === null ? null : found?.map.sources[place.source];
      if (found === null || place === null || source == null) return null;
      return { file: fileOf(source, found.folder), line: place.line, column: place.column };
    },
  };
}

/** A script of a file; null for Node's own, for eval's, and for names that lead to no file. */
function pathOf(script: string | null): string | null {
  if (script === null) return null;
  if (script.startsWith("file:")) return asPath(script);
  return isAbsolute(script) ? script : null;
}

function asPath(url: string): string | null {
  try {
    return fileURLToPath(url);
  } catch {
    return null; // A host, or an encoded slash: no file here.
  }
}

function load(script: string, startedEpochMs: number): Loaded | null {
  const end = readFile(script, startedEpochMs, { last: tailBytes });
  const url = end === null ? null : mapUrl(end);
  if (url === null) return null;
  const isInline = url.startsWith("data:");
  const path = isInline ? script : locate(url, dirname(script));
  const text =
    path === null ? null : isInline ? inlineText(url) : readFile(path, startedEpochMs, {});
  const map = text === null ? null : parseSourceMap(text);
  return map === null || path === null ? null : { map, folder: dirname(path) };
}

/** ECMA-426, "Linking inline": the last such comment counts. */
function mapUrl(text: string): string | null {
  const last = [...text.matchAll(/^[ \t]*\/\/[#@] sourceMappingURL=(\S+)[ \t]*$/gm)].at(-1);
  return last?.[1] ?? null;
}

function inlineText(url: string): string | null {
  const match = /^data:application\/json[^,]*,/.exec(url);
  if (match === null) return null;
  const data = url.slice(match[0].length);
  if (/;base64,$/.test(match[0])) return Buffer.from(data, "base64").toString("utf8");
  try {
    return decodeURIComponent(data);
  } catch {
    return null; // Not encoded as a URL has to be.
  }
}

function locate(url: string, folder: string): string | null {
  if (url.startsWith("file:")) return asPath(url);
  // Maps on a server are not fetched.
  if (/^[a-z][a-z0-9+.-]*:/i.test(url)) return null;
  try {
    return resolve(folder, decodeURIComponent(url));
  } catch {
    return resolve(folder, url); // A percent sign in a file's name.
  }
}

/** webpack names sources by a scheme of its own, relative to the project. */
function fileOf(source: string, folder: string): string {
  if (source.startsWith("file:")) return asPath(source) ?? source;
  const bundled = /^[a-z][a-z0-9+.-]*:\/\/[^/]*\/(?:\.\/)?(.*)$/i.exec(source);
  return bundled?.[1] ?? resolve(folder, source);
}

/** A whole file of at most 8 MiB, or its end; null when it cannot be read, or was changed meanwhile. */
function readFile(
  path: string,
  startedEpochMs: number,
  { last }: { readonly last?: number },
): string | null {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return null; // No such file, or not for us: then there is no map.
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.mtimeMs > startedEpochMs) return null;
    if (last === undefined && stat.size > mapBytesMax) return null;
    return textFrom(fd, stat.size, last);
  } catch {
    return null; // As above.
  } finally {
    closeSync(fd);
  }
}

function textFrom(fd: number, size: number, last: number | undefined): string {
  const length = Math.min(size, last ?? size);
  const end = piece(fd, size - length, length);
  // Without a line break, the last line (an inline map's) began before what was read.
  const isCut = length < size && !end.trimEnd().includes("\n");
  return isCut && size <= mapBytesMax ? piece(fd, 0, size) : end;
}

function piece(fd: number, from: number, length: number): string {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.toString("utf8", 0, readSync(fd, buffer, 0, length, from));
}
