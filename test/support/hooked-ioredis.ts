// Loads a client library under jest with its hooks on, and reads its records back from the ledger.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import type { Cluster, Command, Redis, RedisOptions } from "ioredis";
import { nowMs } from "../../agent/base/clock";
import { createLedger, ledgerWriter } from "../../agent/base/ledger";
import { type LedgerEntry, ledgerReader } from "../../agent/base/ledger-reader";
import { ioredisAdapter } from "../../agent/instrument/ioredis";
import { createRegistry } from "../../agent/instrument/registry";
import { ms } from "../../agent/model/units";

/** This file runs as dist/test/support/hooked-ioredis.js. */
export const packages = join(__dirname, "../../../node_modules");

/** ioredis and its fork, in all versions that are installed under an alias such as `ioredis-5`. */
export const ioredisLibraries: readonly string[] = readdirSync(packages).filter((name) =>
  /^(?:ioredis|iovalkey)(?:-|$)/.test(name),
);

export interface HookedRedis {
  readonly Redis: (new (
    options: RedisOptions,
  ) => Redis) & {
    readonly Cluster: new (nodes: { host: string; port: number }[]) => Cluster;
    readonly Command: typeof Command;
  };
  /** Records in the order of their calls, but for the commands with which a client introduces itself. */
  records(): readonly Row[];
  /** Records once none of them is open any more. */
  settled(): Promise<readonly Row[]>;
  readonly hooked: readonly string[];
  /** Takes the hooks back. */
  uninstall(): void;
}

export interface Row extends Omit<LedgerEntry, "commandId"> {
  readonly command: string;
  readonly port: number | null;
}

const handshake = /^(?:HELLO|CLIENT|INFO|SELECT|READONLY|CLUSTER|AUTH)$/;

/** Jest's module loader is not Node's, so the adapter is handed the files that the hook would give it. */
export function loadHooked(library: string): HookedRedis {
  const buffer = createLedger();
  const reader = ledgerReader(buffer);
  const ports = new Map<number, number | null>();
  const names = new Map<number, string>();
  const registry = createRegistry((message) => {
    if (message.kind === "connection") ports.set(message.connection.id, message.connection.port);
    if (message.kind === "command-name") names.set(message.id, message.name);
  });
  const hooked: string[] = [];
  const restores: (() => void)[] = [];
  const targets = ioredisAdapter.targets({
    ledger: ledgerWriter(buffer),
    registry,
    now: nowMs,
    onHooked: (name) => hooked.push(name),
    onClient: () => undefined,
    keep: (restore) => restores.push(restore),
  });
  const root = join(packages, library);
  for (const { suffix, adapt } of targets) {
    const file = root + suffix;
    if (existsSync(file)) adapt(require(file), file);
  }
  const records = (): readonly Row[] =>
    reader
      .overlapping(ms(0), ms(Number.POSITIVE_INFINITY), 10_000)
      .map(({ commandId, ...entry }) => {
        const port = ports.get(entry.connectionId) ?? null;
        return { ...entry, port, command: names.get(commandId) ?? `#${commandId}` };
      })
      .filter(({ command }) => !handshake.test(command))
      .sort((a, b) => a.sequence - b.sequence);
  const loaded = require(root);
  return {
    Redis: loaded.default ?? loaded,
    hooked,
    records,
    uninstall() {
      for (const restore of restores.splice(0)) restore();
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
