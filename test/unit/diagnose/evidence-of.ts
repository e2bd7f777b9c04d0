// Builds the evidence of one stall for tests of the rules: an empty one, changed where it matters.

import type { Sighting, StallEvidence } from "../../../agent/model/evidence";
import type { FrameTrust, JsFrame, NativeFrame, ThreadStack } from "../../../agent/model/stack";
import { type Address, ms } from "../../../agent/model/units";

export const executable = "/usr/bin/node";

export function evidenceOf(changes: Partial<StallEvidence> = {}): StallEvidence {
  return {
    stall: { id: 1, threadId: 0, startMs: ms(1000), endMs: ms(1100), uncertaintyMs: ms(1) },
    wasSeenLive: true,
    isCutShort: false,
    sightings: [],
    interrupts: [],
    onCpuMs: null,
    runQueueMs: null,
    majorFaults: null,
    measuredMs: ms(0),
    throttledMs: null,
    gc: [],
    lost: [],
    unreadReplies: [],
    commands: [],
    executable,
    gaps: [],
    ...changes,
  };
}

export const native = (
  module: string | null,
  symbol: string | null,
  trust: FrameTrust = "unwound",
): NativeFrame => ({ address: 4096 as Address, module, moduleOffset: 4096, symbol, trust });

export const js = (functionName: string | null, script: string, line: number | null): JsFrame => ({
  functionName,
  script,
  line,
  column: line === null ? null : 5,
  tier: "interpreted",
});

export const stackOf = (
  nativeFrames: readonly NativeFrame[],
  jsFrames: readonly JsFrame[],
): ThreadStack => ({
  native: nativeFrames,
  js: jsFrames,
  gaps: [],
});

export const sighting = (changes: Partial<Sighting>): Sighting => ({
  firstMs: ms(1010),
  lastMs: ms(1100),
  weightMs: ms(100),
  state: "S",
  call: { name: "read", target: { kind: "tcp", host: "127.0.0.1", port: 6379 } },
  running: null,
  stack: null,
  forwarded: null,
  ...changes,
});

export const addonStack = stackOf(
  [
    native("/lib/libc.so.6", "read", "register"),
    native("/lib/libhiredis.so.0.14", "redisBufferRead"),
    native("/app/build/syncredis.node", "Ttl"),
    native(executable, "napi_call"),
  ],
  [js("checkSession", "/app/session.js", 42), js(null, "/app/server.js", 9)],
);
