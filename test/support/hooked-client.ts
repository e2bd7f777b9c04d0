// Loads a client library under jest with its hooks on, and reads its records back from the ledger.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import { nowMs } from "../../agent/base/clock";
import { faultCounts } from "../../agent/base/guard";
import { createLedger, ledgerWriter } from "../../agent/base/ledger";
import { type LedgerEntry, ledgerReader } from "../../agent/base/ledger-reader";
import { createRegistry } from "../../agent/instrument/registry";
import type { Adapter } from "../../agent/instrument/taps";
import type { ConnectionInfo } from "../../agent/model/command";
import { ms } from "../../agent/model/units";

/** This file runs as dist/test/support/hooked-client.js. */
export const packages = join(__dirname, "../../../node_modules");

export interface HookedClient {
  /** Records in the order of their calls, but for the commands with which a client introduces itself. */
  records(): readonly Row[];
  /** Records once none of them is open any more. */
  settled(): Promise<readonly Row[]>;
  readonly hooked: readonly string[];
  /** All that were opened so far. */
  connections(): readonly Connection[];
  /** Takes the hooks back; expects that nothing of ours has failed meanwhile. */
  uninstall(): void;
}

export interface Row extends Omit<LedgerEntry, "commandId"> {
  readonly command: string;
  readonly port: number | null;
}

export interface Connection extends ConnectionInfo {
  readonly isOpen: boolean;
}

const handshake = /^(?:HELLO|CLIENT|INFO|SELECT|READONLY|CLUSTER|AUTH|SENTINEL|ROLE)$/;

/** Jest's module loader is not Node's, so the adapter is handed the files that the hook would give it. */
export function hookFiles(adapter: Adapter, root: string): HookedClient {
  const buffer = createLedger();
  const reader = ledgerReader(buffer);
  const connections = new Map<number, Connection>();
  const names = new Map<number, string>();
  const registry = createRegistry((message) => {
    if (message.kind === "command-name") names.set(message.id, message.name);
    if (message.kind === "connection") {
      connections.set(message.connection.id, { ...message.connection, isOpen: true });
    }
    if (message.kind === "connection-closed") {
      const closed = connections.get(message.id);
      if (closed !== undefined) connections.set(message.id, { ...closed, isOpen: false });
    }
  });
  const hooked: string[] = [];
  const restores: (() => void)[] = [];
  const targets = adapter.targets({
    ledger: ledgerWriter(buffer),
    registry,
    now: nowMs,
    onHooked: (name) => hooked.push(name),
    onClient: () => undefined,
    keep: (restore) => restores.push(restore),
  });
  for (const { suffix, adapt } of targets) {
    const file = root + suffix;
    if (existsSync(file)) adapt(require(file), file);
  }
  const faults = (): readonly unknown[] => [...faultCounts()];
  const faultsBefore = faults();
  const records = (): readonly Row[] =>
    reader
      .overlapping(ms(0), ms(Number.POSITIVE_INFINITY), 10_000)
      .map(({ commandId, ...entry }) => {
        const port = connections.get(entry.connectionId)?.port ?? null;
        return { ...entry, port, command: names.get(commandId) ?? `#${commandId}` };
      })
      .filter(({ command }) => !handshake.test(command))
      .sort((a, b) => a.sequence - b.sequence);
  return {
    hooked,
    records,
    connections: () => [...connections.values()],
    uninstall() {
      for (const restore of restores.splice(0)) restore();
      expect(faults()).toEqual(faultsBefore);
    },
    async settled() {
      await until(() => records().every(({ repliedMs }) => repliedMs !== null));
      return records();
    },
  };
}

export function expectTimesInOrder(rows: readonly Row[]): void {
  for (const { calledMs, sentMs, repliedMs } of rows) {
    expect(sentMs).toBeGreaterThanOrEqual(calledMs);
    expect(repliedMs).toBeGreaterThanOrEqual(sentMs as number);
  }
}

/** A safety rail, not a measure: jest ends a test that waits for ever. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5);
}
