// The commands of the last minutes, by server and second: what the live page draws. Fed with every
// settled command, so it is made for 200,000 a second; in fixed memory. Watchdog thread.

import type { LedgerEntry } from "../../agent/base/ledger-reader";
import type { Ms } from "../../agent/model/units";
import type { ServerTraffic, TrafficSecond } from "./live-data";

/** Ten minutes: as far back as one looks when a page is opened after the alarm. */
const secondsKept = 600;
/** A screen has no room for more charts; each costs 29 kB. */
const serversMax = 16;
/** Connections remembered by number; a pool that opens and closes all day starts it anew. */
const connectionsMax = 8192;

const fields = 6;
const [secondAt, countAt, queueAt, inFlightAt, loopAt, longestAt] = [0, 1, 2, 3, 4, 5] as const;

export type SettledCommand = Pick<
  LedgerEntry,
  "commandId" | "connectionId" | "calledMs" | "sentMs" | "repliedMs"
>;

export interface Traffic {
  /**
   * For the commands of one thread: `serverOf` names a connection's server, null while it is not known
   * and then the command is left out. The returned function takes each settled command with the part
   * of its latency in which the loop was blocked.
   */
  meter(
    serverOf: (command: SettledCommand) => string | null,
  ): (command: SettledCommand, loopMs: number) => void;
  /** The seconds from `second` on, those that are kept. */
  since(second: number): readonly ServerTraffic[];
}

export function createTraffic(): Traffic {
  const rings = new Map<string, Float64Array>();

  function ringOf(server: string): Float64Array | null {
    const known = rings.get(server);
    if (known !== undefined) return known;
    if (rings.size >= serversMax) return null;
    const made = new Float64Array(secondsKept * fields);
    rings.set(server, made);
    return made;
  }

  return {
    meter(serverOf) {
      const byConnection = new Map<number, Float64Array | null>();

      /** null where there are too many servers; undefined where it is not known yet. */
      function find(command: SettledCommand): Float64Array | null | undefined {
        const server = serverOf(command);
        if (server === null) return undefined;
        if (byConnection.size >= connectionsMax) byConnection.clear();
        const ring = ringOf(server);
        byConnection.set(command.connectionId, ring);
        return ring;
      }

      return (command, loopMs) => {
        const known = byConnection.get(command.connectionId);
        const ring = known === undefined ? find(command) : known;
        if (ring == null || command.repliedMs === null) return;
        add(ring, command, command.repliedMs, loopMs);
      };
    },
    since: (second) =>
      [...rings].map(([server, ring]) => ({ server, seconds: secondsSince(ring, second) })),
  };
}

function add(ring: Float64Array, command: SettledCommand, repliedMs: Ms, loopMs: number): void {
  const second = Math.floor(repliedMs / 1000);
  const at = (second % secondsKept) * fields;
  if (ring[at + secondAt] !== second) {
    ring.fill(0, at, at + fields);
    ring[at + secondAt] = second;
  }
  const totalMs = repliedMs - command.calledMs;
  const heldMs = Math.min(loopMs, totalMs);
  const queueMs = Math.min((command.sentMs ?? repliedMs) - command.calledMs, totalMs - heldMs);
  increase(ring, at + countAt, 1);
  increase(ring, at + queueAt, queueMs);
  increase(ring, at + inFlightAt, totalMs - heldMs - queueMs);
  increase(ring, at + loopAt, heldMs);
  if (totalMs > (ring[at + longestAt] as number)) ring[at + longestAt] = totalMs;
}

function increase(ring: Float64Array, index: number, by: number): void {
  ring[index] = (ring[index] as number) + by;
}

function secondsSince(ring: Float64Array, from: number): readonly TrafficSecond[] {
  const found: TrafficSecond[] = [];
  for (let at = 0; at < ring.length; at += fields) {
    const figure = (field: number): number => ring[at + field] as number;
    if (figure(countAt) === 0 || figure(secondAt) < from) continue;
    found.push({
      second: figure(secondAt),
      count: figure(countAt),
      queueMs: figure(queueAt),
      inFlightMs: figure(inFlightAt),
      loopMs: figure(loopAt),
      longestMs: figure(longestAt),
    });
  }
  return found.sort((a, b) => a.second - b.second);
}
