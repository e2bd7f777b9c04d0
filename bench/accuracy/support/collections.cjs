// Garbage collection is nobody's plan, so a program cannot promise whether its block is the collector's or its own:
// it measures, and the label follows.

const { PerformanceObserver } = require("node:perf_hooks");

/** From this share of a block on, the collector is its cause; up to the other one, the code is. Between: no truth. */
const collectorFrom = 0.6;
const codeUpTo = 0.4;

const entries = [];

function watchCollections() {
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) entries.push({ startTime, duration });
  });
  observer.observe({ entryTypes: ["gc"] });
}

/** Milliseconds of collections within a block that is over, and whose entries have been delivered. */
function collectionMs({ startEpochMs, durationMs }) {
  const startMs = startEpochMs - performance.timeOrigin;
  const inside = entries.map(({ startTime, duration }) =>
    Math.max(
      0,
      Math.min(startTime + duration, startMs + durationMs) - Math.max(startTime, startMs),
    ),
  );
  return inside.reduce((sum, spentMs) => sum + spentMs, 0);
}

/** The label, corrected by what the collector took. */
function byCollections(label, { durationMs, gcMs }) {
  const share = gcMs / durationMs;
  if (share >= collectorFrom) return { cause: "gc", culprit: {} };
  if (share > codeUpTo || label.cause === "gc") return { ...label, kind: "ignore" };
  return label;
}

module.exports = { watchCollections, collectionMs, byCollections };
