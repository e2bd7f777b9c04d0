// Reads one source map and answers single questions of it. Pure; watchdog thread. A bundle's map has a
// million segments and an incident asks for ten, so the text is walked once, and of every so many segments
// the state is kept, from which a question walks on.
// Format: https://tc39.es/ecma426/ (version 3). Index maps (`sections`) are refused.

export interface SourceMap {
  /** As the map names them, its sourceRoot put before. */
  readonly sources: readonly (string | null)[];
  readonly mappings: string;
  /** In order; null until the first question. Owned by findOriginal. */
  checkpoints: readonly State[] | null;
}

export interface SourcePlace {
  /** Index into `sources`. */
  readonly source: number;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
}

/** Null for what is no source map of version 3 with its mappings in one piece. */
export function parseSourceMap(text: string): SourceMap | null {
  // A prefix against being run as a script: ECMA-426, "JSON over HTTP transport".
  const json = text.startsWith(")]}'") ? text.slice(text.indexOf("\n") + 1) : text;
  let map: unknown;
  try {
    map = JSON.parse(json);
  } catch {
    return null; // Not JSON: no map.
  }
  if (typeof map !== "object" || map === null) return null;
  const { version, mappings, sources, sourceRoot } = map as Record<string, unknown>;
  if (version !== 3 || typeof mappings !== "string" || !Array.isArray(sources)) return null;
  const root = typeof sourceRoot === "string" && sourceRoot !== "" ? slashed(sourceRoot) : "";
  const named = sources.map((source) => (typeof source === "string" ? root + source : null));
  return { sources: named, mappings, checkpoints: null };
}

const slashed = (root: string): string => (root.endsWith("/") ? root : `${root}/`);

/** What the next segment's numbers count on from, and where it starts. */
interface State {
  at: number;
  generatedLine: number;
  generatedColumn: number;
  source: number;
  line: number;
  column: number;
}

/** A question walks so many segments at most, some 50 microseconds. */
const segmentsBetween = 512;

/**
 * Where the generated position (both 1-based) comes from: the last segment of its line that starts at or
 * before it. Null where the map has none, says that it comes from nowhere, or is damaged before that
 * place. The first question costs some 50 ms for each million characters of the map.
 */
export function findOriginal(map: SourceMap, line: number, column: number): SourcePlace | null {
  map.checkpoints ??= walk(map.mappings);
  const target = { generatedLine: line - 1, generatedColumn: column - 1 };
  const state = { ...lastBefore(map.checkpoints, target) };
  let found: SourcePlace | null = null;
  for (;;) {
    const segment = nextSegment(map.mappings, state);
    if (segment === "damaged") return null;
    if (segment === "end" || isAfter(state, target)) return found;
    const place = advance(state, segment);
    if (state.generatedLine === target.generatedLine) found = place;
  }
}

/** The states before every so many segments, up to the end or to the first damaged one. */
function walk(mappings: string): readonly State[] {
  const state: State = {
    at: 0,
    generatedLine: 0,
    generatedColumn: 0,
    source: 0,
    line: 0,
    column: 0,
  };
  const kept = [{ ...state }];
  for (let count = 1; ; count++) {
    const segment = nextSegment(mappings, state);
    if (typeof segment === "string") return kept;
    advance(state, segment);
    if (count % segmentsBetween === 0) kept.push({ ...state });
  }
}

type Generated = Pick<State, "generatedLine" | "generatedColumn">;

const isAfter = (a: Generated, b: Generated): boolean =>
  a.generatedLine > b.generatedLine ||
  (a.generatedLine === b.generatedLine && a.generatedColumn > b.generatedColumn);

/** The last one that lies strictly before, so that the segment asked for is still to come; else the first. */
function lastBefore(checkpoints: readonly State[], target: Generated): State {
  let low = 0;
  let high = checkpoints.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (isAfter(target, checkpoints[middle] as State)) low = middle;
    else high = middle;
  }
  return checkpoints[low] as State;
}

/** Moves the state to the next segment's place in the text, line and column, and gives its numbers. */
function nextSegment(mappings: string, state: State): readonly number[] | "end" | "damaged" {
  for (; state.at < mappings.length; state.at++) {
    const next = mappings.charCodeAt(state.at);
    if (next === semicolon) {
      state.generatedLine++;
      state.generatedColumn = 0;
    } else if (next !== comma) {
      const cursor = { text: mappings, at: state.at };
      const segment = readSegment(cursor);
      if (segment === null) return "damaged";
      state.at = cursor.at;
      state.generatedColumn += segment[0] ?? 0;
      return segment;
    }
  }
  return "end";
}

const semicolon = 0x3b;
const comma = 0x2c;

/** A segment's numbers are differences to the one before; one number alone maps to nothing. */
function advance(state: State, segment: readonly number[]): SourcePlace | null {
  const [, source, line, column] = segment;
  if (source === undefined || line === undefined || column === undefined) return null;
  state.source += source;
  state.line += line;
  state.column += column;
  if (state.source < 0 || state.line < 0 || state.column < 0) return null;
  return { source: state.source, line: state.line + 1, column: state.column + 1 };
}

interface Cursor {
  readonly text: string;
  at: number;
}

const fieldsMax = 5;
/** Seven groups of five bits hold 32 bits and the sign. */
const digitsMax = 7;

function readSegment(cursor: Cursor): number[] | null {
  const fields: number[] = [];
  while (fields.length < fieldsMax && digitOf(cursor) !== null) {
    const field = readNumber(cursor);
    if (field === null) return null;
    fields.push(field);
  }
  const next = cursor.text.charCodeAt(cursor.at);
  const isAtEnd = cursor.at >= cursor.text.length || next === comma || next === semicolon;
  return fields.length > 0 && isAtEnd ? fields : null;
}

/** Base64 VLQ: five bits a digit, the lowest group first; bit 5 says that more follow; the sign is lowest. */
function readNumber(cursor: Cursor): number | null {
  let value = 0;
  for (let digits = 0; digits < digitsMax; digits++) {
    const digit = digitOf(cursor);
    if (digit === null) return null;
    cursor.at++;
    value += (digit & 31) * 32 ** digits;
    if ((digit & 32) === 0) return value % 2 === 0 ? value / 2 : -(value - 1) / 2;
  }
  return null;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const digitByCode = new Int8Array(128).fill(-1);
for (let index = 0; index < alphabet.length; index++) {
  digitByCode[alphabet.charCodeAt(index)] = index;
}

function digitOf({ text, at }: Cursor): number | null {
  const digit = at < text.length ? (digitByCode[text.charCodeAt(at)] ?? -1) : -1;
  return digit < 0 ? null : digit;
}
