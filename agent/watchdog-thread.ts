// Entry of the watchdog thread, and the only place that wires it: watches, judges, publishes and
// serves. Its event loop is its own, so all of it goes on while the application's is blocked.
// It never uses console or process.stdout: a worker's go through the blocked thread.

import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { setTimeout } from "node:timers";
import { isMainThread, type MessagePort, parentPort, workerData } from "node:worker_threads";
import { createLiveFeed } from "../exporters/live/live-feed";
import { createMetrics, type MetricsStore } from "../exporters/metrics-store";
import type { Health, ThreadHealth } from "../exporters/routes";
import { nowMs, processStartEpochMs, toEpochMs } from "./base/clock";
import { createStderr, type Stderr } from "./base/diag";
import { faultCounts, guard, onFault } from "./base/guard";
import { signal, signalCells } from "./base/signals";
import { flagCells, threadFlag } from "./base/thread-flags";
import { openCpuThrottling } from "./kernel/cgroup-cpu";
import { readOwnCpu, readOwnRunQueueWait } from "./kernel/own-cpu";
import { createProcRoot } from "./kernel/proc-root";
import type { Incident } from "./model/incident";
import { type Ms, ms } from "./model/units";
import type {
  FromWatchdog,
  FromWorker,
  ThreadHandover,
  ToWatchdog,
  WatchdogStart,
} from "./model/wire";
import { openOutlets } from "./outlets";
import { createSourceMaps } from "./stack/source-maps";
import { createStackExaminer } from "./stack/thread-stack";
import { type DeskOptions, openDesk } from "./thread-desk";
import { createThreadRoster, type ThreadRoster } from "./thread-roster";
import { createActivity } from "./watchdog/activity";
import { startExperiment } from "./watchdog/control-probe";
import { createControlProbes, noProbes, type StartExperiment } from "./watchdog/control-probes";
import { createIncidentMaker } from "./watchdog/incident-maker";
import { createIncidentStore } from "./watchdog/incident-store";
import { createLostTime } from "./watchdog/lost-time";
import { startWatchLoop } from "./watchdog/watch-loop";
import { type Channel, hearWorkers, openToWorker } from "./worker-channels";

/** Processes that end sooner (npm, scripts) open no port. */
const servingAgeMs = 1000;
const faultsShown = 3;
/** After a fault of our own: soon enough to go on, too rare to spin. */
const afterFaultMs = ms(100);
const mainThreadId = 0;

type Post = (message: FromWatchdog) => void;
type Parts = ReturnType<typeof assemble>;

function run(start: WatchdogStart, port: MessagePort): void {
  const parts = assemble(start, (message) => port.postMessage(message));
  reportFaults(parts.stderr);
  const loop = startWatchLoop({
    nowMs,
    look: (atMs, lateMs) => guard("watchdog", () => parts.look(atMs, lateMs), afterFaultMs),
  });
  const hear = (threadId: number, message: FromWorker["message"]): void => {
    guard("message", () => receive(parts, threadId, message), undefined);
    if (message.kind === "wake" || message.kind === "thread") loop.wake();
  };
  port.on("message", (message: ToWatchdog) => hear(mainThreadId, message));
  if (start.config.workers) {
    hearWorkers(({ threadId, message }) => hear(threadId, message));
    // Whoever announced itself before there was anybody to hear it does so again.
    parts.callTheRoll();
  }
  setTimeout(() => parts.outlets.serve(), Math.max(0, servingAgeMs - process.uptime() * 1000));
}

function reportFaults(stderr: Stderr): void {
  onFault(({ room, error }, count) => {
    const words = error instanceof Error ? error.message : String(error);
    if (count <= faultsShown) stderr.write(`loophound: internal error in ${room}: ${words}\n`);
  });
}

function assemble(start: WatchdogStart, post: Post) {
  const { config } = start;
  const cells = signalCells(start.signals);
  const stderr = createStderr();
  const metrics = createMetrics();
  metrics.agentInfo(agentInfo());
  const subscribers = new Set(start.isSubscribed ? [mainThreadId] : []);
  const toWorkers = createWorkerPosts();
  const postTo = (threadId: number, message: FromWatchdog): void => {
    if (threadId === mainThreadId) post(message);
    else toWorkers.post(threadId, message);
  };
  const lostTime = createLostTime(() => readOwnRunQueueWait(common.proc));
  const store = createIncidentStore({
    nowMs,
    onDropped: (count) => metrics.dropped("incident", count),
    publish(incident) {
      outlets.publish(incident);
      for (const threadId of subscribers) postTo(threadId, { kind: "incident", incident });
    },
  });
  function add(incident: Incident): void {
    if (incident.state === "closed") metrics.incident(incident.cause);
    store.add(incident);
  }
  const callTheRoll = (): void => void Atomics.add(cells, signal.rollCall, 1);
  const threads = (): readonly ThreadHealth[] => roster.health();
  const live = createLiveFeed({ nowMs, toEpochMs, pid: process.pid, threads });
  const common = { ...deskOptions(start, metrics, lostTime, add), live };
  const roster = createThreadRoster(start, {
    clock: nowMs,
    metrics,
    open: (handover) => openDesk(handover, common),
    askFastBeats(desk) {
      if (desk.threadId === mainThreadId) post({ kind: "beat-fast" });
      else desk.askForBeats();
    },
    onPlaceFree: callTheRoll,
    onEnded(threadId) {
      subscribers.delete(threadId);
      toWorkers.forget(threadId);
    },
  });
  const outlets = openOutlets({
    config,
    metrics,
    live,
    stderr,
    recent: store.recent,
    onPort: (held) => void Atomics.store(cells, signal.port, held),
    refresh() {
      roster.refresh();
      metrics.internalErrors(faultCounts());
      const cpuMs = readOwnCpu(common.proc);
      if (cpuMs !== null) metrics.watchdogCpu(cpuMs);
    },
    health: () => healthOf(roster),
  });
  const look = (atMs: Ms, lateMs: Ms): Ms => {
    lostTime.note(atMs, lateMs);
    metrics.observeWatchdogDelay(lateMs);
    const restMs = roster.look(atMs);
    store.tick();
    Atomics.store(cells, signal.pending, store.pending());
    const endMs = nowMs();
    common.probes.looked(atMs, endMs, ms(endMs + restMs));
    metrics.experiments(common.probes.startedCount());
    return restMs;
  };
  return { cells, stderr, subscribers, store, outlets, roster, look, callTheRoll };
}

function deskOptions(
  { config }: WatchdogStart,
  metrics: MetricsStore,
  lostTime: DeskOptions["lostTime"],
  add: DeskOptions["add"],
): Omit<DeskOptions, "live"> {
  const proc = createProcRoot();
  const activity = createActivity(() => process.memoryUsage.rss());
  return {
    config,
    metrics,
    lostTime,
    add,
    proc,
    arch: process.arch,
    examiner: createStackExaminer(proc),
    throttling: openCpuThrottling(proc),
    nextStallId: createCounter(),
    nextSlowNumber: createCounter(),
    probes: config.probe ? createControlProbes(experiment) : noProbes,
    onUnjudged: metrics.commandUnjudged,
    activity,
    maker: createIncidentMaker({
      pid: process.pid,
      seed: randomBytes(4).toString("hex"),
      activity,
      sources: config.sourceMaps ? createSourceMaps(processStartEpochMs()) : null,
    }),
  };
}

const experiment: StartExperiment = (target, server) => startExperiment(target, server, nowMs);

/** A channel to each worker that was ever written to and still lives. */
function createWorkerPosts() {
  const channels = new Map<number, Channel<FromWatchdog>>();
  return {
    post(threadId: number, message: FromWatchdog): void {
      const channel = channels.get(threadId) ?? openToWorker(threadId);
      channels.set(threadId, channel);
      channel.post(message);
    },
    forget(threadId: number): void {
      channels.get(threadId)?.close();
      channels.delete(threadId);
    },
  };
}

function createCounter(): () => number {
  let count = 0;
  return () => ++count;
}

function agentInfo() {
  const load = createRequire(__filename);
  const { version } = load("../../package.json") as { readonly version: string };
  const { platform, arch } = process;
  return { version, node: process.versions.node, platform, arch };
}

/** The process is as well as its main thread; what its workers do stands beside it. */
function healthOf(roster: ThreadRoster): Health {
  const threads = roster.health();
  const main = threads.find(({ threadId }) => threadId === mainThreadId);
  return {
    status: main?.status ?? "ok",
    stalledForMs: main?.stalledForMs ?? 0,
    cause: main?.cause ?? null,
    culprit: main?.culprit ?? null,
    pid: process.pid,
    uptimeSeconds: process.uptime(),
    threads,
  };
}

function receive(parts: Parts, threadId: number, message: FromWorker["message"]): void {
  const { roster, subscribers, store, outlets, cells } = parts;
  /** The application thread waits for this word. */
  const answer = (cell: number): void => {
    Atomics.store(cells, cell, 2);
    Atomics.notify(cells, cell);
  };
  if (message.kind === "thread") welcome(roster, message.handover);
  else if (message.kind === "wake") roster.wake(threadId);
  else if (message.kind === "subscribe") {
    // A worker that found no place subscribes again when it gets one.
    if (roster.has(threadId)) subscribers.add(threadId);
  } else if (message.kind === "release-port") {
    outlets.releasePort();
    answer(signal.releasePort);
  } else if (message.kind === "flush") {
    store.flush();
    answer(signal.flush);
  } else roster.hear(threadId, message);
}

function welcome(roster: ThreadRoster, handover: ThreadHandover): void {
  // Without its number, the end of a thread that was terminated could not be seen.
  if (handover.thread.tid !== null && roster.join(handover)) return;
  // Nobody looks at its beats, so they may as well be rare.
  Atomics.store(flagCells(handover.thread.flags), threadFlag.idleProof, 1);
}

if (!isMainThread && parentPort !== null && workerData?.loophound === "watchdog") {
  run(workerData as WatchdogStart, parentPort);
}
