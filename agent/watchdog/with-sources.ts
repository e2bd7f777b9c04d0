// Adds to the JavaScript frames of a stall where they are in their sources. Watchdog thread.

import type { StallEvidence } from "../model/evidence";
import type { JsFrame } from "../model/stack";
import type { SourceMaps } from "../stack/source-maps";

export function withSources(evidence: StallEvidence, maps: SourceMaps): StallEvidence {
  const lead = (frames: readonly JsFrame[]): readonly JsFrame[] =>
    frames.map((frame) => {
      const source = maps.sourceOf(frame);
      return source === null ? frame : { ...frame, source };
    });
  return {
    ...evidence,
    sightings: evidence.sightings.map((sighting) =>
      sighting.stack === null
        ? sighting
        : { ...sighting, stack: { ...sighting.stack, js: lead(sighting.stack.js) } },
    ),
    interrupts: evidence.interrupts.map((interrupt) => ({
      ...interrupt,
      js: lead(interrupt.js),
    })),
  };
}
