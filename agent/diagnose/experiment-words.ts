// The readings of one control experiment, beside a command that waited for the same server: how long
// it took, whether it counts, and how it is told. Pure.

import type { Experiment } from "../model/experiment";
import type { Evidence } from "../model/incident";
import { durationOf, type Flight, sameMomentMs } from "./held-or-delayed";
import { roundMs } from "./rule";

/** An answer that took no longer came at once, on any network worth a verdict. */
export const promptMs = 25;

/** Time of the path there and back; null while not connected. */
export const connectTime = ({ startedMs, connectedMs }: Experiment): number | null =>
  connectedMs === null ? null : connectedMs - startedMs;

/** From the question to its answer, or until the command's own if there is none. */
export function askedFor(one: Experiment, { untilMs }: Flight): number {
  const { connectedMs, repliedMs } = one;
  return connectedMs === null ? 0 : Math.max(0, (repliedMs ?? untilMs) - connectedMs);
}

/** A slow reading that may be our own lateness is none. */
export const isMeasured = (tookMs: number, { lateMs }: Experiment): boolean => lateMs < tookMs / 2;

export function toldBy(
  one: Experiment,
  beside: { readonly flight: Flight; readonly command: string },
): readonly Evidence[] {
  const tookMs = connectTime(one);
  const connect: Evidence = {
    kind: "control-connect",
    says: `a control connection to ${one.server} ${connectWords(one, tookMs)}`,
    connectMs: tookMs === null ? null : roundMs(tookMs),
    lateMs: roundMs(one.lateMs),
  };
  return tookMs === null ? [connect] : [connect, ping(one, beside.flight, beside.command)];
}

function connectWords({ failure }: Experiment, tookMs: number | null): string {
  if (tookMs !== null) return `was accepted after ${roundMs(tookMs)} ms`;
  return failure === null ? "was not accepted so far" : `failed: ${failure}`;
}

function ping(one: Experiment, flight: Flight, command: string): Evidence {
  const pingMs = roundMs(askedFor(one, flight));
  const sentAfterMs = roundMs((one.connectedMs ?? flight.sentMs) - flight.sentMs);
  const lateMs = roundMs(one.lateMs);
  const isProof = pingMs <= promptMs || isMeasured(pingMs, one);
  const doubt = isProof ? "" : `; the watchdog itself was late by ${lateMs} ms: it proves nothing`;
  const when = `${Math.abs(sentAfterMs)} ms ${sentAfterMs < 0 ? "before" : "after"} ${command}`;
  return {
    kind: "control-ping",
    says: `a control PING sent ${when} ${answerWords(one, pingMs, flight)}${doubt}`,
    pingMs,
    sentAfterMs,
    answer: one.answer,
    lateMs,
  };
}

function answerWords({ repliedMs }: Experiment, pingMs: number, flight: Flight): string {
  if (repliedMs === null) return `was not answered in ${pingMs} ms`;
  const isTogether = Math.abs(repliedMs - flight.untilMs) <= sameMomentMs && pingMs > promptMs;
  const words = `was answered after ${pingMs} ms`;
  return isTogether && durationOf(flight) > 0 ? `${words}, at the same moment` : words;
}
