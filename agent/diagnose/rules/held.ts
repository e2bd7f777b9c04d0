// Who held the thread, in a system call or on CPU: a native addon (sync-native-io, sync-native-cpu),
// Node's own synchronous API (sync-core-api), the module loader (module-load) or JavaScript (js-cpu).

import type { Cause } from "../../model/cause";
import type { StallEvidence } from "../../model/evidence";
import type { Evidence } from "../../model/incident";
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
    const group = groupPieces(pieces)[0];
    if (group === undefined) return null;
    const isOnCpu = group.onCpuMs > group.weightMs / 2;
    const cause = causes[kind](isOnCpu);
    // Not the heaviest place alone: an addon that is called from three lines is one addon.
    const share = shareOf(weight(sameCulprit(kind, pieces, group)), evidence);
    const culprit = culpritOf(group);
    const { certainty } = group.heaviest.owner;
    return { cause, share, certainty, culprit, evidence: facts(evidence, group, share) };
  };

export const nativeAddon = heldBy("addon");
export const coreApi = heldBy("core");
export const moduleLoad = heldBy("loader");
export const javaScript = heldBy("script");

const weight = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { weightMs }) => sum + weightMs, 0);

const sameCulprit = (kind: OwnerKind, pieces: readonly Piece[], group: Group): readonly Piece[] =>
  kind === "addon"
    ? pieces.filter(({ owner }) => owner.named.module === group.heaviest.owner.named.module)
    : pieces;

function facts(evidence: StallEvidence, group: Group, share: number): readonly Evidence[] {
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
