// Entry of the watchdog thread, and the only place that wires it: watches, judges, publishes and
// serves. Its event loop is its own, so all of it goes on while the application's is blocked.
// It never uses console or process.stdout: a worker's go through the blocked thread.

import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers";
import { isMainThread, type MessagePort, parentPort, workerData } from "node:worker_threads";
import { createMetrics, type MetricsStore } from "../exporters/metrics-store";
import type { Health } from "../exporters/routes";
import { nowMs } from "./base/clock";
import { createStderr, type Stderr } from "./base/diag";
import { guard, onFault } from "./base/guard";
import { signal, signalCells } from "./base/signals";
import { judge } from "./diagnose/verdict";
import { createProcRoot } from "./kernel/proc-root";
import type { StallEvidence } from "./model/evidence";
import type { Incident } from "./model/incident";
import { type Ms, ms } from "./model/units";
import type { FromWatchdog, ToWatchdog, WatchdogStart } from "./model/wire";
import { openOutlets } from "./outlets";
import { createStackExaminer } from "./stack/thread-stack";
import { meterThread, type ThreadMeter } from "./thread-meter";
import { assembleWatch, type WatchParts } from "./watchdog/assemble-watch";
import { createDirectory } from "./watchdog/directory";
import { createIncidentMaker } from "./watchdog/incident-maker";
import { createIncidentStore, type IncidentStore } from "./watchdog/incident-store";
import type { WatchEvent } from "./watchdog/thread-watch";
import { startWatchLoop } from "./watchdog/watch-loop";

/** Processes that end sooner (npm, scripts) open no port. */
const servingAgeMs = 1000;
const faultsShown = 3;
/** After a fault of our own: soon enough to go on, too rare to spin. */
const afterFaultMs = ms(100);

type Post = (message: FromWatchdog) => void;

function run(start: WatchdogStart, port: MessagePort): void {
  const parts = assemble(start, (message) => port.postMessage(message));
  reportFaults(parts.stderr);
  const loop = startWatchLoop({
    nowMs,
    look: (atMs, lateMs) => guard("watchdog", () => parts.look(atMs, lateMs), afterFaultMs),
  });
  const hear = (message: ToWatchdog): void => {
    if (message.kind === "wake") loop.wake();
    else guard("message", () => receive(parts, message), undefined);
  };
  port.on("message", hear);
  setTimeout(() => parts.outlets.serve(), Math.max(0, servingAgeMs - process.uptime() * 1000));
}

function reportFaults(stderr: Stderr): void {
  onFault(({ room, error }, count) => {
    const words = error instanceof Error ? error.message : String(error);
    if (count <= faultsShown) stderr.write(`loophound: internal error in ${room}: ${words}\n`);
  });
}

function assemble(start: WatchdogStart, post: Post) {
  const { config, thread } = start;
  const cells = signalCells(start.signals);
  const stderr = createStderr();
  const metrics = createMetrics();
  const proc = createProcRoot();
  const directory = createDirectory(start.commandNames, start.connections, start.nativeFunctions);
  const meter = meterThread({ metrics, directory, thread });
  const watched = assembleWatch({
    thread,
    config,
    proc,
    arch: process.arch,
    examiner: createStackExaminer(proc),
    directory,
    nextStallId: createCounter(),
    onSettled: meter.onSettled,
    onUnjudged: metrics.commandUnjudged,
  });
  const subscription = { isOn: start.isSubscribed };
  const store = createIncidentStore({
    nowMs,
    onDropped: (count) => metrics.dropped("incident", count),
    publish(incident) {
      outlets.publish(incident);
      if (subscription.isOn) post({ kind: "incident", incident });
    },
  });
  const outlets = openOutlets({
    config,
    metrics,
    stderr,
    recent: store.recent,
    onPort: (held) => void Atomics.store(cells, signal.port, held),
    refresh() {
      const stall = watched.watch.current();
      watched.commands.poll(stall === null);
      meter.refresh(
        stall === null ? null : ms(nowMs() - stall.startMs),
        watched.commands.openCount(),
      );
    },
    health: () => healthOf(watched.watch.preview(nowMs()), nowMs()),
  });
  const look = createLook({ start, cells, post, metrics, meter, store, ...watched });
  return { cells, stderr, directory, subscription, store, outlets, look };
}

function createCounter(): () => number {
  let count = 0;
  return () => ++count;
}

function healthOf(ongoing: StallEvidence | null, atMs: Ms): Health {
  return {
    status: ongoing === null ? "ok" : "stalled",
    stalledForMs: ongoing === null ? 0 : Math.round(atMs - ongoing.stall.startMs),
    cause: ongoing === null ? null : judge(ongoing).cause,
    pid: process.pid,
    uptimeSeconds: process.uptime(),
  };
}

interface LookParts extends WatchParts {
  readonly start: WatchdogStart;
  readonly cells: Int32Array;
  readonly post: Post;
  readonly metrics: MetricsStore;
  readonly meter: ThreadMeter;
  readonly store: IncidentStore;
}

/** One look at the watched thread and all that follows from it; returns when to look again. */
function createLook(parts: LookParts): (atMs: Ms, lateMs: Ms) => Ms {
  const { start, cells, post, metrics, meter, store, watch, commands, witness } = parts;
  const maker = createIncidentMaker(process.pid, randomBytes(4).toString("hex"));
  const watchedSinceMs = nowMs();
  let isAsking = false;

  function add(incident: Incident): void {
    if (incident.state === "closed") metrics.incident(incident.cause);
    store.add(incident);
  }

  function react(event: WatchEvent): void {
    if (event.kind === "stall-ongoing") add(maker.fromStall(event.evidence, "open"));
    if (event.kind === "stall-ended") {
      const { startMs, endMs } = event.stall;
      commands.stallEnded({ startMs, endMs: endMs ?? startMs });
    }
    if (event.kind !== "stall-closed") return;
    const incident = maker.fromStall(event.evidence, "closed");
    meter.onStall(incident);
    // What passed before this thread was there is counted, but nothing can be said of it.
    const { startMs, endMs } = event.evidence.stall;
    const watchedMs = (endMs ?? nowMs()) - Math.max(startMs, watchedSinceMs);
    if (watchedMs >= start.config.incidentMs) add(incident);
  }

  return (atMs, lateMs) => {
    for (const event of watch.look(atMs, lateMs)) react(event);
    meter.onLook(lateMs);
    commands.poll(watch.current() === null);
    const { threadId } = start.thread;
    for (const slow of commands.takeSlow(atMs)) add(maker.fromSlowCommand(slow, threadId));
    // Asked once: the answer is a beat, which may have to wait for the end of a stall.
    if (watch.wantsFastBeats() && !isAsking) post({ kind: "beat-fast" });
    isAsking = watch.wantsFastBeats();
    store.tick();
    Atomics.store(cells, signal.pending, store.pending());
    Atomics.store(cells, signal.idleProof, witness.canProveSleep() ? 1 : 0);
    return watch.nextLookMs(atMs);
  };
}

type PartsMessage = Exclude<ToWatchdog, { readonly kind: "wake" }>;

function receive(parts: ReturnType<typeof assemble>, message: PartsMessage): void {
  const { directory, subscription, store, outlets } = parts;
  /** The application thread waits for this word. */
  const answer = (cell: number): void => {
    Atomics.store(parts.cells, cell, 2);
    Atomics.notify(parts.cells, cell);
  };
  if (message.kind === "command-name") directory.addName(message.id, message.name);
  else if (message.kind === "connection") directory.addConnection(message.connection);
  else if (message.kind === "connection-closed") directory.closeConnection(message.id);
  else if (message.kind === "native-function") {
    const { id, module, name } = message;
    directory.nativeFunctions.add(id, { module, function: name });
  } else if (message.kind === "subscribe") subscription.isOn = true;
  else if (message.kind === "release-port") {
    outlets.releasePort();
    answer(signal.releasePort);
  } else {
    store.flush();
    answer(signal.flush);
  }
}

if (!isMainThread && parentPort !== null && workerData?.loophound === "watchdog") {
  run(workerData as WatchdogStart, parentPort);
}
