// Who held the thread, in a system call or on CPU: a native addon (sync-native-io, sync-native-cpu),
// Node's own synchronous API (sync-core-api), the module loader (module-load) or JavaScript (js-cpu).

import type { Cause } from "../../model/cause";
import type { StallEvidence } from "../../model/evidence";
import type { Culprit, Evidence } from "../../model/incident";
import type { Named } from "../core-api";
import { culpritOf, type Group, groupPieces, targetInWords } from "../culprit";
import { type OwnerKind, type Piece, piecesOf } from "../owners";
import { type Rule, roundMs, shareOf } from "../rule";

const causes: Readonly<Record<OwnerKind, (isOnCpu: boolean) => Cause>> = {
  // It may compute and wait by turns: what it did longer gives the name.
  addon: (isOnCpu) => (isOnCpu ? "sync-native-cpu" : "sync-native-io"),
  core: () => "sync-core-api",
  loader: () => "module-load",
  script: () => "js-cpu",
};

const heldBy =
  (kind: OwnerKind): Rule =>
  (evidence) => {
    const pieces = piecesOf(evidence).filter(({ owner }) => owner.kind === kind);
    // Not the heaviest place alone: an addon that is called from three lines is one addon.
    const held = kind === "addon" ? heaviestBy(({ module }) => module, pieces) : pieces;
    const group = groupPieces(kind === "core" ? heaviestBy(nameOf, held) : held)[0];
    if (group === undefined) return null;
    const cpuMs = weight(held.filter(({ isOnCpu }) => isOnCpu));
    const cause = causes[kind](cpuMs > weight(held) / 2);
    const share = shareOf(weight(held), evidence);
    const culprit = mostOf(held, group);
    const { certainty } = group.heaviest.owner;
    return { cause, share, certainty, culprit, evidence: facts(evidence, group) };
  };

export const nativeAddon = heldBy("addon");
export const coreApi = heldBy("core");
export const moduleLoad = heldBy("loader");
export const javaScript = heldBy("script");

const weight = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { weightMs }) => sum + weightMs, 0);

const nameOf = ({ module, symbol }: Named): string => JSON.stringify([module, symbol]);

/** The pieces that have the same key, of the key that has most of the time. */
function heaviestBy(
  keyOf: (named: Named) => string | null,
  pieces: readonly Piece[],
): readonly Piece[] {
  const byKey = new Map<string | null, Piece[]>();
  for (const piece of pieces) {
    const key = keyOf(piece.owner.named);
    byKey.set(key, [...(byKey.get(key) ?? []), piece]);
  }
  return [...byKey.values()].reduce<readonly Piece[]>(
    (top, some) => (weight(some) > weight(top) ? some : top),
    [],
  );
}

/** Of several that share a cause, one that had less than half of it lends it no name, and a place no line. */
function mostOf(held: readonly Piece[], group: Group): Culprit {
  const { named } = group.heaviest.owner;
  const isMost = (weightMs: number): boolean => weightMs >= weight(held) / 2;
  const isAt = isMost(group.weightMs);
  const of = (isSame: (other: Named) => boolean): boolean =>
    isAt || isMost(weight(held.filter(({ owner }) => isSame(owner.named))));
  const culprit = culpritOf(group);
  return {
    ...culprit,
    module: of(({ module }) => module === named.module) ? culprit.module : null,
    symbol: of((other) => nameOf(other) === nameOf(named)) ? culprit.symbol : null,
    site: isAt ? culprit.site : null,
  };
}

function facts(evidence: StallEvidence, group: Group): readonly Evidence[] {
  // What is told of one place is its own time; the cause may have more.
  const share = shareOf(group.weightMs, evidence);
  const isBlocked = group.heaviest.sighting?.call != null;
  const fact = isBlocked ? blockedIn(group, share) : onCpuIn(group, share);
  return group.heaviest.sighting === null ? [fact, ...answered(evidence)] : [fact];
}

function blockedIn(group: Group, share: number): Evidence {
  const sighting = group.heaviest.sighting;
  const { call = null, state = null } = sighting ?? {};
  const target = call?.target ?? null;
  const on = target?.kind === "tcp" ? `${target.host}:${target.port}` : targetInWords(target);
  const where = on === null ? "" : ` on ${on}`;
  return {
    kind: "blocked-in-syscall",
    says: `the thread slept in ${call?.name}${where} for ${Math.round(share * 100)} % of the stall, called by ${inWords(group)}`,
    syscall: call?.name ?? null,
    state,
    weightMs: roundMs(group.weightMs),
  };
}

/** Native code by what V8's isolate or a forwarder showed of it, JavaScript by its own answers. */
function onCpuIn(group: Group, share: number): Evidence {
  const { owner, sighting } = group.heaviest;
  const percent = Math.round(share * 100);
  const isScript = owner.kind === "script" || owner.kind === "loader";
  const what = isScript ? "ran JavaScript" : "ran native code";
  const by =
    group.heaviest.sighting?.forwarded == null ? "" : "; it had been entered and had not returned";
  return {
    kind: sighting?.forwarded != null ? "native-call-marked" : "on-cpu-in",
    says: `the thread ${what} on the CPU for ${percent} % of the stall, in ${inWords(group)}${by}`,
    weightMs: roundMs(group.weightMs),
  };
}

function answered({ interrupts }: StallEvidence): readonly Evidence[] {
  const given = interrupts.filter(({ answeredMs }) => answeredMs !== null);
  return [
    {
      kind: "interrupts-answered",
      says: `asked ${interrupts.length} times for its stack, it answered ${given.length} times: JavaScript answers at once, native code when it is over`,
      asked: interrupts.length,
      answered: given.length,
    },
  ];
}

function inWords({ heaviest }: Group): string {
  const { module, symbol } = heaviest.owner.named;
  if (symbol === null) return module ?? "an anonymous function";
  return module === null || symbol.startsWith(`${module.replace(/^node:/, "")}.`)
    ? symbol
    : `${symbol} via ${module}`;
}
