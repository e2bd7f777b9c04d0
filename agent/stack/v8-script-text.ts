// What a stack trace calls the script of a function: its name, or where it was made by eval, as V8
// words it. Watchdog thread.
// Rules: src/objects/call-site-info.cc SerializeCallSiteInfo, src/execution/messages.cc at the tags in
// v8-versions.ts.

import { evalOrigin, lineAndColumn, scriptName, scriptOf } from "./js-position";
import type { Tagged, V8Heap } from "./v8-heap";
import { functionName } from "./v8-names";

/** eval inside eval inside eval. */
const evalDepthMax = 4;

/** Null for a function without script, and for a script without name that no eval made. */
export function scriptText(heap: V8Heap, shared: Tagged, depth = evalDepthMax): string | null {
  const script = scriptOf(heap, shared);
  if (script === null) return null;
  const name = scriptName(heap, script);
  const origin = name === null && depth > 0 ? evalOrigin(heap, script) : null;
  if (origin === null) return name;
  const outer = scriptOf(heap, origin.shared);
  const place =
    outer === null || origin.scriptOffset === null
      ? null
      : lineAndColumn(heap, outer, origin.scriptOffset);
  const where = scriptText(heap, origin.shared, depth - 1) ?? "unknown source";
  const position = place === null ? "" : `:${place.line}:${place.column}`;
  const by = functionName(heap, origin.shared) ?? "<anonymous>";
  return `eval at ${by} (${where}${position})`;
}
