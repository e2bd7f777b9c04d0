// Turns the pieces of a stall that belong together into a culprit: who, where, what it waits on.

import type { Target } from "../model/evidence";
import type { Culprit, PeerAddress, Site } from "../model/incident";
import { isOwn, jsLine, nativeLine, siteOf } from "./frames";
import type { Piece } from "./owners";

export function culpritOf({ heaviest }: Group): Culprit {
  const { owner, sighting } = heaviest;
  const { call = null, stack = null } = sighting ?? {};
  return {
    module: owner.named.module,
    symbol: owner.named.symbol,
    syscall: call?.name ?? null,
    peer: peerOf(call?.target ?? null),
    target: targetInWords(call?.target ?? null),
    site: siteOf(owner.js),
    nativeStack: stack?.native.map(nativeLine) ?? [],
    jsStack: (stack?.js ?? owner.js).filter((frame) => !isOwn(frame)).map(jsLine),
  };
}

const peerOf = (target: Target | null): PeerAddress | null =>
  target?.kind === "tcp" || target?.kind === "udp"
    ? { host: target.host, port: target.port }
    : null;

const namePort = 53;

export function targetInWords(target: Target | null): string | null {
  if (target === null) return null;
  switch (target.kind) {
    case "tcp":
      return null;
    case "udp":
      return `UDP ${target.host}:${target.port}${target.port === namePort ? " (a name server)" : ""}`;
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

/** Pieces of the same culprit, with their summed weight, heaviest first. */
export interface Group {
  readonly heaviest: Piece;
  readonly weightMs: number;
  /** Of that, on CPU. */
  readonly onCpuMs: number;
}

export function groupPieces(pieces: readonly Piece[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const piece of pieces) {
    const key = keyOf(piece, siteOf(piece.owner.js));
    const group = groups.get(key);
    const isHeavier = group === undefined || piece.weightMs > group.heaviest.weightMs;
    groups.set(key, {
      heaviest: isHeavier ? piece : group.heaviest,
      weightMs: (group?.weightMs ?? 0) + piece.weightMs,
      onCpuMs: (group?.onCpuMs ?? 0) + (piece.isOnCpu ? piece.weightMs : 0),
    });
  }
  return [...groups.values()].sort((a, b) => b.weightMs - a.weightMs);
}

/** Where JavaScript runs, it is somewhere else at each look: its function counts, not its line. */
function keyOf({ owner }: Piece, site: Site | null): string {
  const { kind, named } = owner;
  const where = kind === "script" ? site?.function : site?.line;
  return JSON.stringify([named.module, site?.file, where]);
}
