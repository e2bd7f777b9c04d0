// Numbers for command names and connections, so that a ledger record holds two integers instead of
// text. Application thread. The watchdog hears of each new one once.

import { timeoutPlaces } from "../model/blocking-commands";
import type { ConnectionInfo } from "../model/command";
import type { TimeoutPlace } from "../model/timeout-place";
import type { ToWatchdog } from "../model/wire";

/**
 * Redis 7 has some 240 commands, its modules and AMQP some hundreds more; beyond this many names
 * somebody calls commands that do not exist, and they share one.
 */
export const commandNamesMax = 4_000;
/** Redis' own longest, GEORADIUSBYMEMBER_RO, has 20; a longer one counts as `otherCommand`. */
export const commandNameCharsMax = 24;
/** A client may spell one command in several ways (`get`, `GET`); each spelling is kept for its speed. */
const spellingsMax = 2 * commandNamesMax;
/** Ids are stored as Uint16, and 0 says "none". */
export const connectionsMax = 65_535;

/** The name of every command that has none of its own: table full, or no name a server could know. */
export const otherCommand = "OTHER";
const otherCommandId = 0;
/** Of a record whose command has no connection yet, or has one that found no free id. */
export const noConnectionId = 0;

export interface RegistrySnapshot {
  /** Indexed by id. */
  readonly commandNames: readonly string[];
  /** Those open at the moment. */
  readonly connections: readonly ConnectionInfo[];
}

export interface Registry {
  /**
   * The id of a Redis command as its client spells it, in any case. About 10 ns and no allocation
   * from the second time on.
   */
  redisCommandId(spelling: string): number;
  /** Where a blocking command has its time-out; null for every other one. About 2 ns. */
  timeoutPlace(commandId: number): TimeoutPlace | null;
  /** The id of a name that is kept as it is: `basic.ack`. For tables made once, not per command. */
  nameId(name: string): number;
  /**
   * An id for a connection that was just made. Ids count up to 65,535; then the one that was closed
   * longest ago is given again. With 65,535 open at once, the rest have `noConnectionId`.
   */
  connectionOpened(connection: Omit<ConnectionInfo, "id">): number;
  connectionClosed(id: number, atMs: number, reason?: string | null): void;
  /** The broker closed a channel of an AMQP connection; `reason` is the name of its code. */
  channelClosed(id: number, reason: string): void;
  /** A broker's alarm on an AMQP connection begins or ends. */
  connectionBlocked(id: number, isBlocked: boolean, atMs: number): void;
  /** For a watchdog that starts after the first commands. */
  snapshot(): RegistrySnapshot;
}

export function createRegistry(post: (message: ToWatchdog) => void): Registry {
  const names = nameTable(post);
  const connections = connectionTable(post);
  return {
    redisCommandId: names.redisCommandId,
    timeoutPlace: names.timeoutPlace,
    nameId: names.nameId,
    connectionOpened: connections.opened,
    connectionClosed: connections.closed,
    channelClosed: (id, reason) => post({ kind: "channel-closed", id, reason }),
    connectionBlocked: (id, isBlocked, atMs) =>
      post({ kind: "connection-blocked", id, isBlocked, atMs }),
    snapshot: () => ({ commandNames: names.all(), connections: connections.all() }),
  };
}

/** What a server could have as a command; anything else may be data in the wrong place. */
const redisName = new RegExp(`^[a-z][\\w.|:-]{0,${commandNameCharsMax - 1}}$`, "i");

function nameTable(post: (message: ToWatchdog) => void) {
  const names = [otherCommand];
  const places: (TimeoutPlace | null)[] = [null];
  const idByName = new Map([[otherCommand, otherCommandId]]);
  const idBySpelling = new Map<string, number>();

  function nameId(name: string): number {
    const known = idByName.get(name);
    if (known !== undefined) return known;
    if (names.length >= commandNamesMax) return otherCommandId;
    const id = names.push(name) - 1;
    places.push(Object.hasOwn(timeoutPlaces, name) ? (timeoutPlaces[name] ?? null) : null);
    idByName.set(name, id);
    post({ kind: "command-name", id, name });
    return id;
  }

  function redisCommandId(spelling: string): number {
    const known = idBySpelling.get(spelling);
    if (known !== undefined) return known;
    // The client is not ours: what it calls a name need not be text.
    if (typeof spelling !== "string" || !redisName.test(spelling)) return otherCommandId;
    const id = nameId(spelling.toUpperCase());
    if (idBySpelling.size < spellingsMax) idBySpelling.set(spelling, id);
    return id;
  }

  return {
    nameId,
    redisCommandId,
    timeoutPlace: (id: number) => places[id] ?? null,
    all: (): readonly string[] => [...names],
  };
}

function connectionTable(post: (message: ToWatchdog) => void) {
  const open = new Map<number, ConnectionInfo>();
  /** Ids that may be given again, the one closed longest ago first. */
  const closedIds = new Set<number>();
  let newest = noConnectionId;

  function freeId(): number {
    if (newest < connectionsMax) return ++newest;
    for (const id of closedIds) {
      closedIds.delete(id);
      return id;
    }
    return noConnectionId;
  }

  return {
    opened(connection: Omit<ConnectionInfo, "id">): number {
      const id = freeId();
      if (id === noConnectionId) return id;
      const info = { id, ...connection };
      open.set(id, info);
      post({ kind: "connection", connection: info });
      return id;
    },
    closed(id: number, atMs: number, reason?: string | null): void {
      if (!open.delete(id)) return;
      closedIds.add(id);
      const message = { kind: "connection-closed", id, atMs } as const;
      post(reason === undefined ? message : { ...message, reason });
    },
    all: (): readonly ConnectionInfo[] => [...open.values()],
  };
}
