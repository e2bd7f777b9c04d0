// Names of what shared memory holds by number: commands, connections and native functions, as the
// application thread posts them.

import type { LedgerEntry } from "../base/ledger-reader";
import type { CommandRecord, ConnectionInfo } from "../model/command";
import type { ForwardedCall } from "../model/evidence";
import { serverOf } from "../model/experiment";
import type { Ms } from "../model/units";
import { type AmqpConnections, createAmqpConnections } from "./amqp-connections";
import { createNativeNames, type NativeNames } from "./native-names";

/** The application thread's registry has the same limits; these only bound a fault of it. */
const namesMax = 8192;
const connectionsMax = 65_536;
const closedKept = 1000;

/** Pairs of command and connection in one memory; it starts anew beyond, which only costs look-ups. */
const rememberedMax = 8192;
/** Command ids are 16 bits in the ledger. */
const commandIds = 65_536;

type EntryNumbers = Pick<LedgerEntry, "commandId" | "connectionId">;

export interface CommandLabels {
  readonly client: string;
  readonly command: string;
  /** `host:port`; `local` for a Unix socket. */
  readonly server: string;
}

type MakeRemembered<T> = (labels: CommandLabels, connection: ConnectionInfo) => T;

export interface Directory {
  addName(id: number, name: string): void;
  addConnection(connection: ConnectionInfo): void;
  /** It can still be named for a while: a stall that it lost its commands in may not be judged yet. */
  closeConnection(id: number, atMs: Ms, reason: string | null): void;
  connection(id: number): ConnectionInfo | null;
  resolve(entry: LedgerEntry): CommandRecord;
  connectionCount(): number;
  /** What is known of the connections among them that are AMQP's. */
  readonly amqp: AmqpConnections;
  /** Of the forwarders. */
  readonly nativeFunctions: NativeNames;
  /** What metrics are labelled with; null while the message with the names is still on its way. */
  labels(entry: EntryNumbers): CommandLabels | null;
  /**
   * For the path that every settled command takes: what `make` returns for its names, made once for
   * each command and connection and kept until a name or connection changes. One Map look-up.
   */
  remember<T>(make: MakeRemembered<T>): (entry: EntryNumbers) => T | null;
}

/** `host:port`; `local` for a Unix socket, and where the connection is not known. */
export const serverLabel = (address: Pick<ConnectionInfo, "host" | "port"> | null): string =>
  address === null || address.host === null ? "local" : `${address.host}:${address.port}`;

/** What is learnt of a server is kept by it: unlike the label it tells Unix sockets apart. */
export const serverKey = (connection: ConnectionInfo | null): string =>
  serverOf(connection) ?? serverLabel(connection);

export function createDirectory(
  commandNames: readonly string[],
  connections: readonly ConnectionInfo[],
  nativeFunctions: readonly ForwardedCall[] = [],
): Directory {
  const closed: number[] = [];
  const amqp = createAmqpConnections(connections);
  const names = new Map(commandNames.map((name, id) => [id, name]));
  const byId = new Map(connections.map((connection) => [connection.id, connection]));
  const memories: Map<number, unknown>[] = [];
  const forget = (): void => {
    for (const memory of memories) memory.clear();
  };

  function labels({ commandId, connectionId }: EntryNumbers): CommandLabels | null {
    const command = names.get(commandId);
    const connection = byId.get(connectionId);
    if (command === undefined || connection === undefined) return null;
    return { client: connection.client, command, server: serverLabel(connection) };
  }

  return {
    addName(id, name) {
      if (names.size < namesMax) names.set(id, name);
    },
    addConnection(connection) {
      forget();
      const reused = closed.indexOf(connection.id);
      if (reused >= 0) closed.splice(reused, 1);
      if (byId.size < connectionsMax) byId.set(connection.id, connection);
      amqp.opened(connection);
    },
    closeConnection(id, atMs, reason) {
      amqp.closed(id, atMs, reason);
      closed.push(id);
      for (const old of closed.splice(0, Math.max(0, closed.length - closedKept))) byId.delete(old);
    },
    connection: (id) => byId.get(id) ?? null,
    resolve: (entry) => ({
      sequence: entry.sequence,
      command: names.get(entry.commandId) ?? "UNKNOWN",
      connection: byId.get(entry.connectionId) ?? null,
      state: entry.state,
      calledMs: entry.calledMs,
      sentMs: entry.sentMs,
      repliedMs: entry.repliedMs,
      ahead: entry.ahead,
      askedMs: entry.askedMs,
    }),
    labels,
    remember: (make) =>
      remembering(memories, (entry) => {
        const found = labels(entry);
        const connection = byId.get(entry.connectionId);
        return found === null || connection === undefined ? null : make(found, connection);
      }),
    connectionCount: () => byId.size - closed.length,
    amqp,
    nativeFunctions: createNativeNames(nativeFunctions),
  };
}

/** `make` returns null while the names are not known. */
function remembering<T>(
  memories: Map<number, unknown>[],
  make: (entry: EntryNumbers) => T | null,
): (entry: EntryNumbers) => T | null {
  const memory = new Map<number, T>();
  memories.push(memory);
  return (entry) => {
    const pair = entry.connectionId * commandIds + entry.commandId;
    const known = memory.get(pair);
    if (known !== undefined) return known;
    const made = make(entry);
    // Not remembered while unknown: the names may arrive with the next message.
    if (made === null) return null;
    if (memory.size >= rememberedMax) memory.clear();
    memory.set(pair, made);
    return made;
  };
}
