// Weighs what the rules say of one stall and picks one cause, or none: where no cause explains
// most of it, the verdict is `unknown` and says what is missing.

import type { Cause } from "../model/cause";
import type { StallEvidence } from "../model/evidence";
import type { Culprit, Evidence } from "../model/incident";
import { ms } from "../model/units";
import { heartbeatEvidence } from "./amqp-heartbeat";
import { toldBy } from "./experiment-words";
import { durationMs, type Match, type Rule, roundMs } from "./rule";
import { coreApi, javaScript, moduleLoad, nativeAddon } from "./rules/held";
import { cpuStarved, gc, pageFault, processStopped } from "./rules/machine";

export interface Verdict {
  readonly cause: Cause;
  readonly confidence: number;
  readonly culprit: Culprit | null;
  readonly evidence: readonly Evidence[];
}

/** A cause that explains less than half of a stall is a bystander. */
const explainsFrom = 0.5;

/** The order settles ties: the machine's faults come first, for they would otherwise be ours to blame. */
const machineRules: readonly Rule[] = [processStopped, cpuStarved, gc, pageFault];
const heldRules: readonly Rule[] = [moduleLoad, nativeAddon, coreApi, javaScript];
/** The least that names anybody. */
const dividedFrom = 0.3;
/** Of a culprit that had the thread longest, but not for half of the stall. */
const dividedCertainty = 0.75;

export function judge(evidence: StallEvidence): Verdict {
  const machine = matchesOf(machineRules, evidence);
  const held = matchesOf(heldRules, evidence);
  const matches = [...machine, ...held];
  const best = largest(matches) ?? null;
  const chosen = best !== null && best.share >= explainsFrom ? best : divided(machine, held);
  if (chosen === null) return unknown(evidence, matches);
  const others = matches.filter(({ cause }) => cause !== chosen.cause);
  return {
    cause: chosen.cause,
    confidence: Math.round(chosen.certainty * Math.min(1, 0.5 + chosen.share / 2) * 100) / 100,
    culprit: chosen.culprit,
    evidence: [
      ...chosen.evidence,
      ...common(evidence),
      ...others.flatMap((match) => match.evidence),
    ],
  };
}

const matchesOf = (rules: readonly Rule[], evidence: StallEvidence): readonly Match[] =>
  rules.map((rule) => rule(evidence)).filter((match) => match !== null);

const largest = (matches: readonly Match[]): Match | null =>
  matches.reduce<Match | null>(
    (top, match) => (top === null || match.share > top.share ? match : top),
    null,
  );

/**
 * Where nobody has half of the stall, whoever had most of it is named, less surely: if code had most of the time
 * that the machine left it. A collection, or waiting for a CPU, is part of what computing takes, and code takes
 * turns, such as a loop and the short native calls in it.
 */
function divided(machine: readonly Match[], held: readonly Match[]): Match | null {
  const best = largest(held);
  if (best === null || best.share < dividedFrom) return null;
  const codes = sumOf(held);
  const machines = sumOf(machine);
  if (codes < (1 - machines) * explainsFrom) return null;
  if (best.share < (largest(machine)?.share ?? 0)) return null;
  return { ...best, certainty: best.certainty * dividedCertainty };
}

const sumOf = (matches: readonly Match[]): number =>
  Math.min(
    1,
    matches.reduce((sum, match) => sum + match.share, 0),
  );

function unknown(evidence: StallEvidence, matches: readonly Match[]): Verdict {
  const says = evidence.wasSeenLive
    ? `no evidence explains half of the ${roundMs(durationMs(evidence))} ms`
    : "the watchdog did not see it while it went on; the thread's own late beat tells of it";
  return {
    cause: "unknown",
    confidence: 0,
    culprit: null,
    evidence: [
      { kind: "not-explained", says },
      ...matches.flatMap((match) => match.evidence),
      ...common(evidence),
    ],
  };
}

function common(evidence: StallEvidence): readonly Evidence[] {
  return [
    ...unread(evidence),
    ...heartbeatEvidence(evidence),
    ...servers(evidence),
    ...cutShort(evidence),
    ...onCpu(evidence),
    ...gaps(evidence),
  ];
}

const cutShort = ({ isCutShort }: StallEvidence): readonly Evidence[] =>
  isCutShort
    ? [
        {
          kind: "thread-ended",
          says: "its loop did not turn again: the thread was ended in the middle of it",
        },
      ]
    : [];

function unread(evidence: StallEvidence): readonly Evidence[] {
  return evidence.unreadReplies.map((reply) => ({
    kind: "reply-waiting",
    says: `the reply to ${reply.command} lay unread in the kernel no later than ${roundMs(Math.max(0, reply.seenMs - reply.sentMs))} ms after it was sent (${reply.rxQueueBytes} bytes from ${reply.host}:${reply.port})`,
    command: reply.command,
    client: reply.client,
    host: reply.host,
    port: reply.port,
    seenAfterMs: roundMs(reply.seenMs - reply.sentMs),
    rxQueueBytes: reply.rxQueueBytes,
  }));
}

/** What the servers did meanwhile: one that answered at once is not to blame for those who waited. */
function servers(evidence: StallEvidence): readonly Evidence[] {
  const { startMs } = evidence.stall;
  const untilMs = ms(startMs + durationMs(evidence));
  const flight = { connectionId: null, sentMs: startMs, untilMs };
  return (evidence.experiments ?? []).flatMap((one) =>
    toldBy(one, { flight, command: "the stall began" }),
  );
}

function onCpu(evidence: StallEvidence): readonly Evidence[] {
  if (evidence.onCpuMs === null || evidence.measuredMs === 0) return [];
  const percent = Math.round((evidence.onCpuMs / evidence.measuredMs) * 100);
  return [
    {
      kind: "cpu-time",
      says: `the thread used the CPU for ${percent} % of the ${roundMs(evidence.measuredMs)} ms measured`,
      onCpuMs: roundMs(evidence.onCpuMs),
      runQueueMs: evidence.runQueueMs === null ? null : roundMs(evidence.runQueueMs),
      measuredMs: roundMs(evidence.measuredMs),
    },
  ];
}

const gaps = (evidence: StallEvidence): readonly Evidence[] =>
  evidence.gaps.map((says) => ({ kind: "missing", says }));
