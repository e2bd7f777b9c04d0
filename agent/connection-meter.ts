// Counts the connections of one thread's clients, by client and server, as the thread tells of them.
// Watchdog thread.

import type { ConnectionLabels, MetricsStore } from "../exporters/metrics-store";
import type { ConnectionInfo } from "./model/command";
import { serverLabel } from "./watchdog/directory";

export interface ConnectionMeter {
  opened(connection: ConnectionInfo): void;
  /** Nothing happens for one that is not open. */
  closed(id: number): void;
  /** The thread has ended, and all of its connections with it. */
  end(): void;
}

/** `open`: those that were there before the watchdog was. */
export function meterConnections(
  metrics: Pick<MetricsStore, "connectionOpened" | "connectionClosed">,
  open: readonly ConnectionInfo[],
): ConnectionMeter {
  const labels = new Map<number, ConnectionLabels>();

  function opened(connection: ConnectionInfo): void {
    const { id, client } = connection;
    closed(id);
    const own = { client, server: serverLabel(connection) };
    labels.set(id, own);
    metrics.connectionOpened(own);
  }

  function closed(id: number): void {
    const own = labels.get(id);
    if (own === undefined) return;
    labels.delete(id);
    metrics.connectionClosed(own);
  }

  open.forEach(opened);
  return {
    opened,
    closed,
    end() {
      for (const id of [...labels.keys()]) closed(id);
    },
  };
}
