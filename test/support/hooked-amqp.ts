// Loads an AMQP client under jest with its hooks on, and reads its records and its messages back.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import { nowMs } from "../../agent/base/clock";
import { faultCounts } from "../../agent/base/guard";
import { createLedger, droppedIndex, ledgerWriter } from "../../agent/base/ledger";
import { type LedgerEntry, ledgerReader } from "../../agent/base/ledger-reader";
import { createRegistry } from "../../agent/instrument/registry";
import type { Adapter } from "../../agent/instrument/taps";
import type { ConnectionInfo } from "../../agent/model/command";
import { ms } from "../../agent/model/units";
import type { ToWatchdog } from "../../agent/model/wire";

/** This file runs as dist/test/support/hooked-amqp.js. */
export const packages = join(__dirname, "../../../node_modules");

export interface AmqpRow extends Omit<LedgerEntry, "commandId"> {
  readonly command: string;
  readonly port: number | null;
}

export interface HookedAmqp {
  /** Records in the order of their calls. */
  records(): readonly AmqpRow[];
  /** Records once none of them is open any more. */
  settled(): Promise<readonly AmqpRow[]>;
  /** What the watchdog would hear, but for names and new connections. */
  heard(): readonly ToWatchdog[];
  connections(): readonly ConnectionInfo[];
  readonly hooked: readonly string[];
  readonly unfit: readonly string[];
  /** Messages and requests that could not be followed. */
  dropped(): number;
  /** Takes the hooks back; expects that nothing of ours has failed meanwhile. */
  uninstall(): void;
}

const recordsMax = 100_000;

/** Jest's module loader is not Node's, so the adapter is handed the files that the hook would give it. */
export function hookAmqp(adapter: Adapter, root: string): HookedAmqp {
  const buffer = createLedger();
  const reader = ledgerReader(buffer);
  const messages: ToWatchdog[] = [];
  const names = new Map<number, string>();
  const connections: ConnectionInfo[] = [];
  const registry = createRegistry((message) => {
    if (message.kind === "command-name") names.set(message.id, message.name);
    else if (message.kind === "connection") connections.push(message.connection);
    else messages.push(message);
  });
  const [hooked, unfit]: [string[], string[]] = [[], []];
  const restores: (() => void)[] = [];
  const targets = adapter.targets({
    ledger: ledgerWriter(buffer),
    registry,
    now: nowMs,
    onHooked: (name) => hooked.push(name),
    onUnfit: (name) => unfit.push(name),
    onClient: () => undefined,
    keep: (restore) => restores.push(restore),
  });
  for (const { suffix, adapt } of targets) {
    if (existsSync(root + suffix)) adapt(require(root + suffix), root + suffix);
  }
  const faultsBefore = [...faultCounts()];
  const records = (): readonly AmqpRow[] =>
    reader
      .overlapping(ms(0), ms(Number.POSITIVE_INFINITY), recordsMax)
      .map(({ commandId, ...entry }) => ({
        ...entry,
        port: connections.find(({ id }) => id === entry.connectionId)?.port ?? null,
        command: names.get(commandId) ?? `#${commandId}`,
      }))
      .sort((a, b) => a.sequence - b.sequence);
  return {
    records,
    hooked,
    unfit,
    heard: () => messages,
    connections: () => connections,
    dropped: () => new Float64Array(buffer, 0, 4)[droppedIndex] as number,
    async settled() {
      await until(() => records().every(({ repliedMs }) => repliedMs !== null));
      return records();
    },
    uninstall() {
      for (const restore of restores.splice(0)) restore();
      expect([...faultCounts()]).toEqual(faultsBefore);
    },
  };
}

/** The state that each record of that name ended in. */
export const endings = (rows: readonly AmqpRow[], name: string): readonly string[] =>
  rows.filter(({ command }) => command === name).map(({ state }) => state);

/** Of answered records: called, sent, answered. */
export function expectPhasesInOrder(rows: readonly AmqpRow[]): void {
  for (const { command, calledMs, sentMs, repliedMs } of rows) {
    const waits = [(sentMs ?? Number.NaN) - calledMs, (repliedMs ?? Number.NaN) - (sentMs ?? 0)];
    expect({ command, areInOrder: waits.every((wait) => wait >= 0) }).toEqual({
      command,
      areInOrder: true,
    });
  }
}

/** A safety rail, which no test asserts. */
const waitMs = 30_000;

export async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`not in ${waitMs} ms: ${isTrue}`);
    await sleep(5);
  }
}
