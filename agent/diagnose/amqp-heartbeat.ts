// What a stall did to the heartbeats of AMQP connections. Pure. Evidence, never a cause: the broker
// that closes a connection because nothing came is a victim's reaction.

import type { HeartbeatExposure, StallEvidence } from "../model/evidence";
import type { Evidence } from "../model/incident";
import { durationMs, roundMs } from "./rule";

/** From here on it is told: a second stall like it, and a heartbeat is missed. */
const riskFrom = 0.5;
/**
 * RabbitMQ looks for data once in each heartbeat and closes a connection at the second look that
 * found none: after two to three heartbeats of silence.
 * https://github.com/rabbitmq/rabbitmq-server/blob/v3.10.8/deps/rabbit_common/src/rabbit_heartbeat.erl
 */
const closedFrom = 2;
const closedAt = 3;
/** Both clients send, as RabbitMQ does, twice in each heartbeat, if nothing else was sent. */
const beatsPerHeartbeat = 2;

/**
 * Heartbeats that a connection did not send in a stall of that length, at the least: the first that
 * was due may have been needless, because something else had been sent just before.
 */
export const missedHeartbeats = (stallMs: number, heartbeatMs: number): number =>
  Math.max(0, Math.floor((stallMs * beatsPerHeartbeat) / heartbeatMs) - 1);

export function heartbeatEvidence(evidence: StallEvidence): readonly Evidence[] {
  const stallMs = durationMs(evidence);
  return (evidence.heartbeats ?? [])
    .filter(({ heartbeatMs }) => stallMs >= heartbeatMs * riskFrom)
    .map((exposure) => told(exposure, stallMs, evidence.stall.endMs));
}

function told(exposure: HeartbeatExposure, stallMs: number, endMs: number | null): Evidence {
  const { host, port, heartbeatMs, connections, ends } = exposure;
  const missed = missedHeartbeats(stallMs, heartbeatMs);
  return {
    kind: "amqp-heartbeat",
    says: [
      `the loop was blocked for ${seconds(stallMs)}; RabbitMQ's heartbeat at ${host}:${port} is ${seconds(heartbeatMs)}: ${consequence(stallMs / heartbeatMs)}`,
      ...(missed === 0 ? [] : [notSent(missed)]),
      ...(ends[0] === undefined || endMs === null ? [] : [ended(ends, connections, endMs)]),
    ].join("; "),
    host,
    port,
    heartbeatMs,
    connections,
    ratio: Math.round((stallMs / heartbeatMs) * 100) / 100,
    missed,
    ends: ends.map(({ atMs, reason }) => ({
      afterMs: endMs === null ? null : roundMs(atMs - endMs),
      reason,
    })),
  };
}

function consequence(ratio: number): string {
  if (ratio >= closedAt) return "the broker will have closed the connection";
  const rule = `the broker closes a connection after ${closedFrom} to ${closedAt} heartbeats of silence`;
  return ratio >= closedFrom
    ? `${rule}, and may have closed this one`
    : `${Math.round(ratio * 100)} % of it, and ${rule}`;
}

const notSent = (missed: number): string =>
  `at least ${missed} ${missed === 1 ? "heartbeat was" : "heartbeats were"} not sent because the loop was blocked`;

function ended(ends: HeartbeatExposure["ends"], connections: number, endMs: number): string {
  const [first] = ends;
  const which =
    connections === 1 ? "the connection" : `${ends.length} of ${connections} connections`;
  const afterMs = roundMs(Math.max(0, (first?.atMs ?? endMs) - endMs));
  const why = first?.reason ?? "without a reason, as when heartbeats are missing";
  return `${which} ended ${afterMs} ms after the loop turned again (${why})`;
}

const seconds = (lengthMs: number): string => `${roundMs(lengthMs / 1000)} s`;
