// Asks an agent's HTTP server, as curl or a scraper would: a new connection for each request.

import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Health } from "../../../exporters/routes";

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly tookMs: number;
}

/** Safety rails: no test asserts them. */
const replyMs = 10_000;
const waitMs = 30_000;
const pollEveryMs = 20;

/** Rejects when nobody listens, or nobody answers. */
export function ask(port: number, path: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const request = get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("error", reject).on("end", () => {
        const tookMs = performance.now() - startedMs;
        resolve({ status: response.statusCode ?? 0, body, tookMs });
      });
    });
    request.on("error", reject);
    request.setTimeout(replyMs, () => request.destroy(new Error(`no answer from ${path}`)));
  });
}

export async function askHealth(port: number): Promise<Health> {
  return JSON.parse((await ask(port, "/healthz")).body) as Health;
}

/** The sum of all series of that name whose labels hold `label`; 0 without any. */
export function metricSum(text: string, name: string, label = ""): number {
  return text
    .split("\n")
    .map((line) => /^(\w+)(\{.*\})? (\S+)$/.exec(line))
    .filter((match) => match?.[1] === name && (match[2] ?? "").includes(label))
    .reduce((sum, match) => sum + Number(match?.[3]), 0);
}

/** Asks until there is an answer that is not null; a refused connection counts as none. */
export async function eventually<T>(look: () => Promise<T | null> | T | null, what: string) {
  const deadline = performance.now() + waitMs;
  let last: unknown = null;
  while (performance.now() < deadline) {
    try {
      const found = await look();
      if (found !== null) return found;
    } catch (error) {
      last = error;
    }
    await sleep(pollEveryMs);
  }
  throw new Error(`not in ${waitMs} ms: ${what}${last === null ? "" : ` (${String(last)})`}`);
}

/** The agent of that process answers on the port. */
export const answering = (port: number, pid: number): Promise<Health> =>
  eventually(async () => {
    const health = await askHealth(port);
    return health.pid === pid ? health : null;
  }, `an agent of process ${pid} on port ${port}`);
