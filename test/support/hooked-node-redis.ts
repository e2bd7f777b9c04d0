// node-redis under jest with its hooks on. Its types differ from version to version; what the tests
// use is the same in all.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { nodeRedisAdapter } from "../../agent/instrument/node-redis";
import { type HookedClient, hookFiles, packages } from "./hooked-client";

/** All versions that are installed under an alias such as `redis5`. */
export const nodeRedisLibraries: readonly string[] = readdirSync(packages).filter((name) =>
  /^redis\d+$/.test(name),
);

export const majorOf = (library: string): number => Number(/\d+$/.exec(library)?.[0]);

export interface ClientOptions {
  readonly socket:
    | { readonly host: string; readonly port: number }
    /** Of a Unix socket. */
    | { readonly path: string };
  readonly RESP?: 2 | 3;
  readonly scripts?: Readonly<Record<string, unknown>>;
}

export interface Transaction {
  set(key: string, value: string): Transaction;
  incr(key: string): Transaction;
  hGetAll(key: string): Transaction;
  exec(): Promise<unknown>;
  execAsPipeline(): Promise<unknown>;
}

export interface Client {
  connect(): Promise<unknown>;
  duplicate(): Client;
  on(event: string, listener: (...args: never[]) => void): unknown;
  sendCommand(args: readonly unknown[]): Promise<unknown>;
  get(key: string): Promise<string | null>;
  /** 4, with `commandOptions`. */
  get(options: unknown, key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  incr(key: string): Promise<number>;
  expire(key: string, seconds: number): Promise<unknown>;
  hGetAll(key: string): Promise<unknown>;
  lPush(key: string, item: string): Promise<unknown>;
  blPop(key: string, timeoutSeconds: number): Promise<unknown>;
  publish(channel: string, message: string): Promise<unknown>;
  subscribe(channels: readonly string[], listener: (message: string) => void): Promise<unknown>;
  unsubscribe(): Promise<unknown>;
  multi(): Transaction;
  readonly isReady: boolean;
  /** 5 and 6. */
  destroy?(): void;
  withAbortSignal?(signal: AbortSignal): Client;
  /** 4. */
  disconnect?(): Promise<void>;
  executeIsolated?<T>(work: (client: Client) => Promise<T>): Promise<T>;
}

export interface Pool {
  get(key: string): Promise<string | null>;
  blPop(key: string, timeoutSeconds: number): Promise<unknown>;
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
}

export interface NodeRedis {
  createClient(options: ClientOptions): Client;
  createClientPool(options: ClientOptions, poolOptions: { readonly maximum: number }): Pool;
  createCluster(options: Readonly<Record<string, unknown>>): Client;
  createSentinel(options: Readonly<Record<string, unknown>>): Client;
  defineScript(options: Readonly<Record<string, unknown>>): unknown;
  commandOptions(options: { readonly signal: AbortSignal }): unknown;
}

export interface HookedNodeRedis extends HookedClient {
  readonly redis: NodeRedis;
}

export function loadHookedNodeRedis(library: string): HookedNodeRedis {
  const nested = join(packages, library, "node_modules", "@redis", "client");
  const root = existsSync(nested) ? nested : join(packages, "@redis", "client");
  const hooked = hookFiles(nodeRedisAdapter, root);
  return { ...hooked, redis: require(join(packages, library)) };
}

/** Without regard for what is still outstanding. */
export async function endAtOnce(client: Client): Promise<void> {
  if (client.destroy !== undefined) client.destroy();
  else await client.disconnect?.();
}
