// The AMQP connections of one watched thread: their heartbeats, their ends, and the broker's alarms.
// Watchdog thread; in fixed memory.

import { isAnsweredByServer, isImmediateOperation, isNaglePlateau } from "../model/amqp-costs";
import type { CommandRecord, ConnectionInfo } from "../model/command";
import type { HeartbeatExposure } from "../model/evidence";
import type { Ms } from "../model/units";

/** Ends and alarms that can still matter: stalls and slow commands are judged within a second. */
const pastKept = 256;
const connectionsMax = 65_536;
/** Listed with one stall; more servers than this have the same story. */
const exposuresMax = 8;
const endsMax = 8;
/** RabbitMQ sets a connection's first channels up while it is still busy with the connection. */
const settlingMs = 1000;

interface Closed {
  readonly connection: ConnectionInfo;
  readonly atMs: Ms;
  readonly reason: string | null;
}

interface Alarm {
  readonly id: number;
  readonly startMs: Ms;
  /** null: it goes on. */
  readonly endMs: Ms | null;
}

export interface AmqpConnections {
  opened(connection: ConnectionInfo): void;
  closed(id: number, atMs: Ms, reason: string | null): void;
  blocked(id: number, isBlocked: boolean, atMs: Ms): void;
  /** Whether what the record took says nothing about the broker. */
  isNoMeasure(record: CommandRecord, settledMs: Ms): boolean;
  /** Whether it may have taken long for a reason that is known and harmless. */
  excuses(record: CommandRecord, settledMs: Ms): boolean;
  /** Connections with a heartbeat that were open in that time, by server, and those that ended since. */
  exposedTo(startMs: Ms): readonly HeartbeatExposure[];
}

export function createAmqpConnections(known: readonly ConnectionInfo[]): AmqpConnections {
  const open = new Map<number, ConnectionInfo>();
  let closed: readonly Closed[] = [];
  let alarms: readonly Alarm[] = [];

  function opened(connection: ConnectionInfo): void {
    if (connection.protocol !== "amqp" || open.size >= connectionsMax) return;
    open.set(connection.id, connection);
  }

  function blocked(id: number, isBlocked: boolean, atMs: Ms): void {
    const ongoing = alarms.find((alarm) => alarm.id === id && alarm.endMs === null);
    if (isBlocked && ongoing === undefined) {
      alarms = [...alarms.slice(1 - pastKept), { id, startMs: atMs, endMs: null }];
    } else if (!isBlocked && ongoing !== undefined) {
      alarms = alarms.map((alarm) => (alarm === ongoing ? { ...alarm, endMs: atMs } : alarm));
    }
  }

  function wasBlocked({ connection, calledMs }: CommandRecord, settledMs: Ms): boolean {
    return alarms.some(
      ({ id, startMs, endMs }) =>
        id === connection?.id && startMs <= settledMs && (endMs ?? settledMs) >= calledMs,
    );
  }

  const isNoMeasure = (record: CommandRecord, settledMs: Ms): boolean =>
    !isAnsweredByServer(record.command) || wasBlocked(record, settledMs);

  for (const connection of known) opened(connection);
  return {
    opened,
    blocked,
    isNoMeasure,
    closed(id, atMs, reason) {
      const connection = open.get(id);
      if (!open.delete(id) || connection === undefined) return;
      blocked(id, false, atMs);
      closed = [...closed.slice(1 - pastKept), { connection, atMs, reason }];
    },
    excuses(record, settledMs) {
      if (isNoMeasure(record, settledMs)) return true;
      if (!isImmediateOperation(record.command)) return false;
      const { openedMs } = record.connection ?? {};
      const isSettling = openedMs !== undefined && record.calledMs - openedMs < settlingMs;
      return isSettling || isNaglePlateau(settledMs - (record.sentMs ?? record.calledMs));
    },
    exposedTo: (startMs) => exposures([...open.values()], closed, startMs),
  };
}

function exposures(
  open: readonly ConnectionInfo[],
  closed: readonly Closed[],
  startMs: Ms,
): readonly HeartbeatExposure[] {
  const ended = closed.filter(({ atMs }) => atMs >= startMs);
  const exposed = [...open, ...ended.map((one) => one.connection)].filter(
    // One that was opened since has missed nothing.
    ({ heartbeatMs, openedMs }) =>
      typeof heartbeatMs === "number" && !(openedMs && openedMs > startMs),
  );
  const groups = new Map<string, ConnectionInfo[]>();
  for (const one of exposed) {
    const key = `${one.host}:${one.port} ${one.heartbeatMs}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()]
    .map((group) => exposureOf(group, ended))
    .sort((a, b) => a.heartbeatMs - b.heartbeatMs)
    .slice(0, exposuresMax);
}

/** Of connections that share server and heartbeat. */
function exposureOf(group: readonly ConnectionInfo[], ended: readonly Closed[]): HeartbeatExposure {
  const [{ host, port, heartbeatMs }] = group as [ConnectionInfo];
  return {
    host,
    port,
    heartbeatMs: heartbeatMs as Ms,
    connections: group.length,
    ends: ended
      .filter(({ connection }) => group.includes(connection))
      .slice(0, endsMax)
      .map(({ atMs, reason }) => ({ atMs, reason })),
  };
}
