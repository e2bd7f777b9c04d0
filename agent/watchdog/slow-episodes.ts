// Slow commands that belong together as one incident: of one server and one cause, with no pause
// between them. Watchdog thread; fixed memory.
//
// What goes on for long is told while it goes on, and told again, under the same number, when it is
// over: then its cause may be known better.

import { chargeOne } from "../diagnose/charge";
import type { SlowVerdict } from "../diagnose/slow-command";
import type { CommandRecord } from "../model/command";
import type { ChargedCommand, Incident } from "../model/incident";
import { type Ms, ms } from "../model/units";
import { mergeCommands } from "./gathered";

/** Without another slow command for so long it is over; longer than a command waits to be judged. */
const pauseMs = 250;
/** One that lasts so long is told while it goes on: the process may be killed before it ends. */
export const openAfterMs = 2000;
/** One that never ends is told in pieces. */
const longestMs = 60_000;
/** As many servers in trouble at once, for different reasons. */
const episodesMax = 64;

export interface SlowRecord {
  readonly record: CommandRecord;
  /** As a key; "" where it never had a connection. */
  readonly server: string;
  /** When it settled, or now if it has not. */
  readonly settledMs: Ms;
  readonly verdict: SlowVerdict;
}

export interface SlowEpisode {
  readonly number: number;
  readonly state: Incident["state"];
  readonly startMs: Ms;
  readonly endMs: Ms;
  /** Of the command that took longest. */
  readonly verdict: SlowVerdict;
  readonly commands: readonly ChargedCommand[];
}

export interface SlowEpisodes {
  /** A command that has settled. */
  add(slow: SlowRecord): void;
  /** One that has not, for so long that it is told of now; null: of that server is told already. */
  announce(slow: SlowRecord): SlowEpisode | null;
  /** What is over, or goes on for long. `isWaited`: whether a command of that server is still out too long. */
  take(nowMs: Ms, isWaited: (server: string) => boolean): readonly SlowEpisode[];
}

interface Episode extends Omit<SlowEpisode, "number" | "state"> {
  readonly server: string;
  /** Of the command that took longest. */
  readonly longestMs: number;
}

export function createSlowEpisodes(nextNumber: () => number): SlowEpisodes {
  const episodes = new Map<string, Episode>();
  /** What was told of a server and is not over. */
  const announced = new Map<string, Episode & { readonly number: number }>();

  const keyOf = ({ server, verdict }: Pick<Episode, "server" | "verdict">): string =>
    `${server} ${verdict.cause}`;

  /** Told of already, perhaps under another cause, as it seemed then. */
  function closed(episode: Episode): SlowEpisode {
    const told = announced.get(episode.server);
    if (told === undefined || (keyOf(told) !== keyOf(episode) && episodes.has(keyOf(told)))) {
      return { ...episode, number: nextNumber(), state: "closed" };
    }
    announced.delete(episode.server);
    const startMs = ms(Math.min(episode.startMs, told.startMs));
    return { ...episode, startMs, number: told.number, state: "closed" };
  }

  function opened(episode: Episode): SlowEpisode | null {
    if (announced.has(episode.server) || announced.size >= episodesMax) return null;
    const one = { ...episode, number: nextNumber() };
    announced.set(episode.server, one);
    return { ...one, state: "open" };
  }

  return {
    add(slow) {
      const before = episodes.get(keyOf(slow));
      if (before === undefined && episodes.size >= episodesMax) return;
      episodes.set(keyOf(slow), joined(before, slow));
    },
    announce: (slow) => opened(joined(undefined, slow)),
    take(nowMs, isWaited) {
      const isOver = ({ startMs, endMs, server }: Episode): boolean =>
        (nowMs - endMs >= pauseMs && !isWaited(server)) || endMs - startMs >= longestMs;
      const over = [...episodes.values()].filter(isOver);
      for (const episode of over) episodes.delete(keyOf(episode));
      const told = over.map(closed);
      const held = [...episodes.values()];
      const long = held.filter(({ startMs, endMs }) => endMs - startMs >= openAfterMs);
      const news = long.map(opened).filter((one) => one !== null);
      // Its commands ended in a way that is no slow command: dropped, or the loop's after all.
      const orphans = [...announced.values()].filter(
        ({ server }) => !isWaited(server) && !held.some((episode) => episode.server === server),
      );
      const closedLate = orphans.map((one) => closed({ ...one, endMs: nowMs }));
      return [...told, ...news, ...closedLate];
    },
  };
}

function joined(before: Episode | undefined, slow: SlowRecord): Episode {
  const { record, server, settledMs, verdict } = slow;
  const tookMs = settledMs - record.calledMs;
  const isLongest = before === undefined || tookMs > before.longestMs;
  return {
    server,
    startMs: ms(Math.min(record.calledMs, before?.startMs ?? record.calledMs)),
    endMs: ms(Math.max(settledMs, before?.endMs ?? settledMs)),
    verdict: isLongest ? verdict : before.verdict,
    longestMs: isLongest ? tookMs : before.longestMs,
    commands: mergeCommands([...(before?.commands ?? []), chargeOne(record, verdict.parts)]),
  };
}
