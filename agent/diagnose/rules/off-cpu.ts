// Blocked in a system call: on behalf of a native addon (sync-native-io), of Node's own
// synchronous API (sync-core-api), or of the module loader (module-load).

import type { Cause } from "../../model/cause";
import type { Sighting, StallEvidence } from "../../model/evidence";
import type { Evidence } from "../../model/incident";
import { culpritOf, type Group, groupSightings, type Named, targetInWords } from "../culprit";
import { coreApi, isLoadingModules, nativeCulprit } from "../frames";
import { type Match, type Rule, roundMs, shareOf } from "../rule";

/** A stack that was unwound proves its frames; a scanned one may show a frame that is gone. */
const provenCertainty = 0.98;
const guessedCertainty = 0.7;

const addonOf = (evidence: StallEvidence) => (sighting: Sighting) =>
  sighting.call === null || sighting.stack === null
    ? null
    : nativeCulprit(sighting.stack, evidence.executable);

const coreOf = (evidence: StallEvidence, isLoader: boolean) => (sighting: Sighting) => {
  if (sighting.call === null || sighting.stack === null) return null;
  if (nativeCulprit(sighting.stack, evidence.executable) !== null) return null;
  return isLoadingModules(sighting.stack) === isLoader ? coreApi(sighting.stack) : null;
};

export const syncNativeIo: Rule = (evidence) => {
  const group = groupSightings(evidence.sightings, addonOf(evidence))[0];
  if (group === undefined) return null;
  const isGuess = "isGuess" in group.named && group.named.isGuess === true;
  return match(evidence, "sync-native-io", group, isGuess ? guessedCertainty : provenCertainty);
};

export const syncCoreApi: Rule = (evidence) => {
  const group = groupSightings(evidence.sightings, coreOf(evidence, false))[0];
  return group === undefined ? null : match(evidence, "sync-core-api", group, provenCertainty);
};

export const moduleLoad: Rule = (evidence) => {
  const group = groupSightings(evidence.sightings, coreOf(evidence, true))[0];
  return group === undefined ? null : match(evidence, "module-load", group, provenCertainty);
};

function match(evidence: StallEvidence, cause: Cause, group: Group, certainty: number): Match {
  const culprit = culpritOf(group.heaviest, group.named);
  const share = shareOf(group.weightMs, evidence);
  return { cause, share, certainty, culprit, evidence: [blockedIn(group, share)] };
}

function blockedIn(group: Group, share: number): Evidence {
  const { call, state } = group.heaviest;
  const target = call?.target ?? null;
  const on = target?.kind === "tcp" ? `${target.host}:${target.port}` : targetInWords(target);
  const where = on === null ? "" : ` on ${on}`;
  return {
    kind: "blocked-in-syscall",
    says: `the thread slept in ${call?.name}${where} for ${Math.round(share * 100)} % of the stall, called by ${inWords(group.named)}`,
    syscall: call?.name ?? null,
    state,
    weightMs: roundMs(group.weightMs),
  };
}

const inWords = (named: Named): string =>
  named.symbol === null ? (named.module ?? "?") : `${named.symbol} via ${named.module}`;
