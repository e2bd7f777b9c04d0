// All that is known of the servers themselves: what control experiments found, what other commands
// met, and what is usual; asked for one command at a time. Watchdog thread.

import { catchUpMs } from "../diagnose/parts";
import { askDuringStall, askServer, type Finding, nearMs } from "../diagnose/server-word";
import type { CommandRecord } from "../model/command";
import type { Interval } from "../model/evidence";
import { serverOf } from "../model/experiment";
import { type Ms, ms } from "../model/units";
import type { ControlProbes } from "./control-probes";
import { serverKey } from "./directory";
import { createRoundTrips } from "./round-trips";
import { createServerPeers } from "./server-peers";

type Answered = (connectionId: number, sentMs: Ms, repliedMs: Ms) => void;

export interface ServerFacts {
  /** Where the commands of one server go that were answered while the loop was free. `server`: its key. */
  of(server: string): Answered;
  /** From sent to replied, while the loop is free; null: not enough is known. */
  usualMs(record: CommandRecord): Ms | null;
  /** An experiment that began while it waited, until `untilMs`, has not ended. */
  isAsking(record: CommandRecord, untilMs: Ms): boolean;
  /** `untilMs`: when it was answered, or now if it is open. null: it was never sent. */
  findingOf(record: CommandRecord, untilMs: Ms, stalls: readonly Interval[]): Finding | null;
}

export function createServerFacts(probes: ControlProbes): ServerFacts {
  const roundTrips = createRoundTrips();
  const peers = createServerPeers();
  return {
    of(server) {
      const addTrip = roundTrips.of(server);
      const addPeer = peers.of(server);
      return (connectionId, sentMs, repliedMs) => {
        addTrip?.(ms(repliedMs - sentMs));
        addPeer(connectionId, sentMs, repliedMs);
      };
    },
    usualMs: ({ connection }) => roundTrips.usualMs(serverKey(connection)),
    isAsking: (record, untilMs) =>
      probes
        .about(serverOf(record.connection) ?? "", record.calledMs, untilMs)
        .some(({ endedMs }) => endedMs === null),
    findingOf(record, untilMs, stalls) {
      const { command, connection, sentMs, repliedMs } = record;
      if (sentMs === null || connection === null) return null;
      const key = serverKey(connection);
      // Two that nothing is known of need not be one.
      const isKnown = serverOf(connection) !== null;
      const question = {
        command,
        flight: { connectionId: connection.id, sentMs, untilMs },
        isOpen: repliedMs === null,
        experiments: probes.about(key, ms(sentMs - nearMs), untilMs),
        peers: isKnown ? peers.about(key, ms(sentMs - nearMs), untilMs) : [],
      };
      const isReadLate = stalls.some(
        ({ startMs, endMs }) => untilMs > startMs && untilMs <= endMs + catchUpMs,
      );
      return isReadLate ? askDuringStall(question, roundTrips.usualMs(key)) : askServer(question);
    },
  };
}
