// Turns a sighting of a thread blocked in a system call into a culprit: who called, what it waits on.

import type { Sighting, Target } from "../model/evidence";
import type { Culprit, PeerAddress } from "../model/incident";
import { isOwn, jsLine, nativeLine, siteOf } from "./frames";

export interface Named {
  readonly module: string | null;
  readonly symbol: string | null;
}

export function culpritOf(sighting: Sighting, named: Named): Culprit {
  const stack = sighting.stack;
  return {
    module: named.module,
    symbol: named.symbol,
    syscall: sighting.call?.name ?? null,
    peer: peerOf(sighting.call?.target ?? null),
    target: targetInWords(sighting.call?.target ?? null),
    site: stack === null ? null : siteOf(stack),
    nativeStack: stack?.native.map(nativeLine) ?? [],
    jsStack: stack?.js.filter((frame) => !isOwn(frame)).map(jsLine) ?? [],
  };
}

const peerOf = (target: Target | null): PeerAddress | null =>
  target?.kind === "tcp" ? { host: target.host, port: target.port } : null;

export function targetInWords(target: Target | null): string | null {
  if (target === null) return null;
  switch (target.kind) {
    case "tcp":
      return null;
    case "unix":
      return `unix socket ${target.path ?? "(unnamed)"}`;
    case "file":
      return target.path;
    case "pipe":
      return "a pipe";
    case "other":
      return target.what;
  }
}

/** Sightings that stand for the same culprit, with their summed weight, heaviest first. */
export interface Group {
  readonly named: Named;
  readonly heaviest: Sighting;
  readonly weightMs: number;
}

/** `name` gives null for a sighting that is not this rule's business. */
export function groupSightings(
  sightings: readonly Sighting[],
  name: (sighting: Sighting) => Named | null,
): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const sighting of sightings) {
    const named = name(sighting);
    if (named === null) continue;
    const site = sighting.stack === null ? null : siteOf(sighting.stack);
    const key = JSON.stringify([named.module, site?.file, site?.line]);
    const group = groups.get(key);
    const weightMs = (group?.weightMs ?? 0) + sighting.weightMs;
    const isHeavier = group === undefined || sighting.weightMs > group.heaviest.weightMs;
    groups.set(key, isHeavier ? { named, heaviest: sighting, weightMs } : { ...group, weightMs });
  }
  return [...groups.values()].sort((a, b) => b.weightMs - a.weightMs);
}
