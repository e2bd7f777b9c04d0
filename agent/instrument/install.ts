// Hooks the client libraries that the application loads, now and later. Application thread.
// One adapter per library: a new library is one more row of the table.

import type { LedgerWriter } from "../base/ledger";
import { amqplibAdapter } from "./amqplib";
import { ioredisAdapter } from "./ioredis";
import { installModuleHook, type ModuleHookKind } from "./module-hook";
import { nodeRedisAdapter } from "./node-redis";
import { rabbitmqClientAdapter } from "./rabbitmq-client";
import type { Registry } from "./registry";
import { type Shape, shapeOf, watchEmitters } from "./shapes";
import type { Adapter, Taps } from "./taps";
import type { Restore } from "./wrap";

const adapters: readonly Adapter[] = [
  ioredisAdapter,
  nodeRedisAdapter,
  amqplibAdapter,
  rabbitmqClientAdapter,
];

export interface InstallOptions {
  readonly ledger: LedgerWriter;
  readonly registry: Registry;
  /** Monotonic milliseconds, as in base/clock. */
  readonly now: () => number;
  /** Called once, from the constructor of the first client object that the application makes. */
  onFirstClient(): void;
  /** Called once for each library of which a copy had to be left alone. */
  onUnfit?(library: string): void;
}

export interface Installed {
  /** Libraries hooked so far, once for each copy that was loaded; grows. */
  readonly hooked: readonly string[];
  readonly moduleHookKind: ModuleHookKind;
  /** Hooks a client that neither its file nor its making told of; false if its kind is not known. */
  instrument(client: object): boolean;
  /** Takes everything back. Queues of clients that exist already stay hooked, but record nothing. */
  uninstall(): void;
}

/** Throws nothing, and what it hooks throws nothing: failures are counted under `instrument`. */
export function installClients(options: InstallOptions): Installed {
  const hooked: string[] = [];
  const restores: Restore[] = [];
  const unfit = new Set<string>();
  let hasClient = false;
  const taps: Taps = {
    ledger: options.ledger,
    registry: options.registry,
    now: options.now,
    onHooked: (library) => hooked.push(library),
    onUnfit(library) {
      if (unfit.has(library)) return;
      unfit.add(library);
      options.onUnfit?.(library);
    },
    onClient() {
      if (hasClient) return;
      hasClient = true;
      options.onFirstClient();
    },
    keep: (restore) => restores.push(restore),
  };
  const hook = installModuleHook(adapters.flatMap((adapter) => adapter.targets(taps)));
  const shapes = adapters.flatMap((adapter) => adapter.shapes?.(taps) ?? []);
  const stopWatching = watchEmitters(shapes);
  return {
    hooked,
    moduleHookKind: hook.kind,
    instrument: (client) => instrumentByHand(shapes, client),
    uninstall() {
      hook.uninstall();
      stopWatching?.();
      for (const restore of restores.splice(0).reverse()) restore();
    },
  };
}

/** What amqplib's `connect` gives holds its connection; the others are what they are. */
function instrumentByHand(shapes: readonly Shape[], given: object): boolean {
  const { connection } = given as { readonly connection?: unknown };
  const candidates = [given, connection].filter((one) => typeof one === "object" && one !== null);
  for (const client of candidates as readonly object[]) {
    const shape = shapeOf(shapes, client);
    if (shape === undefined) continue;
    shape.hook(Object.getPrototypeOf(client));
    shape.adopt(client);
    return true;
  }
  return false;
}
