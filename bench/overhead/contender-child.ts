// A process under test: runs bursts of one workload when its parent says so.
// Arguments: workload, port, a file beside the clients' node_modules.

import { performance } from "node:perf_hooks";
import { argv } from "node:process";
import { processCpuNs, threadCpuNs } from "./clocks";
import type { Burst } from "./raw";
import { type Workload, workloads } from "./workloads";

export type ToContender =
  | { readonly kind: "burst"; readonly lengthMs: number }
  | { readonly kind: "end" };
export type FromContender =
  | { readonly kind: "ready" }
  | { readonly kind: "burst"; readonly burst: Burst }
  | { readonly kind: "end"; readonly rssBytes: number; readonly spans: number | null };

const send = (message: FromContender): void => void process.send?.(message);

/** A process that has waited for its turn is not yet what it is under load: this much is not counted. */
const runInMs = 50;

async function burst(workload: Workload, lengthMs: number): Promise<Burst> {
  await workload.burst(performance.now() + runInMs);
  const [wall, thread, whole] = [performance.now(), threadCpuNs(), processCpuNs()];
  const operations = await workload.burst(wall + lengthMs);
  const threadNow = threadCpuNs();
  return {
    operations,
    wallNs: Math.round((performance.now() - wall) * 1e6),
    threadNs: thread === null || threadNow === null ? null : threadNow - thread,
    processNs: processCpuNs() - whole,
  };
}

async function main(): Promise<void> {
  const [name = "", port, clientsOf = ""] = argv.slice(2);
  const start = workloads[name];
  if (start === undefined) throw new Error(`no workload ${name}`);
  const workload = await start({ port: Number(port), clientsOf });
  process.on("message", async (message: ToContender) => {
    if (message.kind === "burst") {
      send({ kind: "burst", burst: await burst(workload, message.lengthMs) });
      return;
    }
    await workload.close();
    // The OpenTelemetry preload counts its spans: a comparison with something that is off would be none.
    const spans = (globalThis as { spanCount?: number }).spanCount ?? null;
    send({ kind: "end", rssBytes: process.memoryUsage.rss(), spans });
    process.disconnect();
  });
  send({ kind: "ready" });
}

void main();
