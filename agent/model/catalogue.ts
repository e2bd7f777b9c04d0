// The one table of metrics: what Prometheus, OpenTelemetry, dashboards and the documents show is
// read from here. Imports nothing.

export type MetricType = "counter" | "gauge" | "histogram";

export interface MetricDefinition {
  readonly name: string;
  readonly type: MetricType;
  /** Base unit as Prometheus has it; "1" for a count or a state. */
  readonly unit: "seconds" | "1";
  readonly labels: readonly string[];
  /** No quotation marks: the text formats escape them differently. */
  readonly help: string;
  /** Label sets kept; all further ones are counted together, with `other` in each label. */
  readonly seriesMax: number;
  /** Inclusive upper bounds in `unit`, ascending; histograms only. */
  readonly buckets?: readonly number[];
}

/** What stands in every label of the one series that takes what the cap refuses. */
export const otherLabel = "other";

/** Main thread and application workers of one process are few. */
const threadsMax = 64;
/** Addon, function, system call and line: an application blocks its loop in tens of places, not hundreds. */
const sitesMax = 200;
/** 17 lines of text each: 300 of them take the watchdog some 15 ms at a scrape, and it has other duties. */
const commandsMax = 300;
/** A cluster has tens of nodes; an address that changes with each fail-over or deployment adds to them. */
const serversMax = 200;
/** Closed lists of our own: causes, parts, kinds, rooms. The cap only guards against a fault of ours. */
const ownListMax = 64;

/**
 * Around the thresholds that matter: 20 ms counts as a stall, 50 ms is an incident, 2 s is written
 * while it goes on. Below, a healthy loop must be seen apart from one that is nearly late; above,
 * the usual time-outs of clients and load balancers.
 */
const delayBuckets = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
] as const;

/**
 * From a command within one machine (a quarter of a millisecond) over the 50 ms from which a
 * command of constant cost is an incident, to the time-outs of a BLPOP.
 */
const commandBuckets = [
  0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
] as const;

export const catalogue = {
  stalled: {
    name: "loophound_stalled",
    type: "gauge",
    unit: "1",
    labels: ["thread"],
    help: "1 while the event loop of the thread does not turn, else 0.",
    seriesMax: threadsMax,
  },
  stallAge: {
    name: "loophound_stall_age_seconds",
    type: "gauge",
    unit: "seconds",
    labels: ["thread"],
    help: "How long the stall of the thread has lasted so far; 0 when there is none.",
    seriesMax: threadsMax,
  },
  currentStall: {
    name: "loophound_current_stall_seconds",
    type: "gauge",
    unit: "seconds",
    labels: ["thread", "cause", "module", "function", "syscall", "site"],
    help: "How long the stall that goes on now has lasted, with what is known of it so far; there is no series while the loop turns.",
    seriesMax: threadsMax,
  },
  stalls: {
    name: "loophound_stalls_total",
    type: "counter",
    unit: "1",
    labels: ["thread", "cause"],
    help: "Stalls of the event loop that have ended, by what caused them.",
    seriesMax: threadsMax * 14,
  },
  stalledSeconds: {
    name: "loophound_stalled_seconds_total",
    type: "counter",
    unit: "seconds",
    labels: ["thread", "cause"],
    help: "Time that the event loop stood still in stalls that have ended, by what caused them.",
    seriesMax: threadsMax * 14,
  },
  blockedSeconds: {
    name: "loophound_blocked_seconds_total",
    type: "counter",
    unit: "seconds",
    labels: ["thread", "cause", "module", "function", "syscall", "site"],
    help: "Time that the event loop stood still, by thread and what held it: module, native function, system call, and line of JavaScript. A label is empty where that is not known.",
    seriesMax: sitesMax,
  },
  incidents: {
    name: "loophound_incidents_total",
    type: "counter",
    unit: "1",
    labels: ["cause"],
    help: "Incidents by cause, each counted, also where the log folds them.",
    seriesMax: ownListMax,
  },
  eventLoopDelay: {
    name: "loophound_event_loop_delay_seconds",
    type: "histogram",
    unit: "seconds",
    labels: ["thread"],
    help: "Lateness of the heartbeat on the event loop, corrected for the beats that a stall prevented.",
    seriesMax: threadsMax,
    buckets: delayBuckets,
  },
  commandDuration: {
    name: "loophound_command_duration_seconds",
    type: "histogram",
    unit: "seconds",
    labels: ["client", "command", "server"],
    help: "Time from the call of the client to the parsed reply, as the application had it.",
    seriesMax: commandsMax,
    buckets: commandBuckets,
  },
  commandBlame: {
    name: "loophound_command_blame_seconds_total",
    type: "counter",
    unit: "seconds",
    labels: ["part"],
    help: "Latency of commands by whose time it was: queue, network, server, loop, intended, unknown.",
    seriesMax: ownListMax,
  },
  slowCommands: {
    name: "loophound_slow_commands_total",
    type: "counter",
    unit: "1",
    labels: ["client", "command", "server", "cause"],
    help: "Commands that were slow for what they are, or that a stall held up, by what caused it.",
    seriesMax: commandsMax,
  },
  commandsOpen: {
    name: "loophound_commands_open",
    type: "gauge",
    unit: "1",
    labels: [],
    help: "Commands that have been called and not yet answered, and AMQP messages not yet acknowledged.",
    seriesMax: 1,
  },
  amqpHeartbeatsMissed: {
    name: "loophound_amqp_heartbeats_missed_total",
    type: "counter",
    unit: "1",
    labels: ["server"],
    help: "AMQP heartbeats that were not sent because the event loop was blocked, at the least.",
    seriesMax: serversMax,
  },
  amqpClosed: {
    name: "loophound_amqp_closed_total",
    type: "counter",
    unit: "1",
    labels: ["server", "what", "reason"],
    help: "AMQP connections that ended and channels that the broker closed, by the code of the reason; none where none was given.",
    seriesMax: serversMax,
  },
  commandsUnjudged: {
    name: "loophound_commands_unjudged_total",
    type: "counter",
    unit: "1",
    labels: [],
    help: "Slow commands whose cost depends on the data and whose own history was too short to say whether that is unusual.",
    seriesMax: 1,
  },
  connections: {
    name: "loophound_connections",
    type: "gauge",
    unit: "1",
    labels: ["client", "server"],
    help: "Connections of the client libraries that are open, over all threads.",
    seriesMax: serversMax,
  },
  connectionsOpened: {
    name: "loophound_connections_opened_total",
    type: "counter",
    unit: "1",
    labels: ["client", "server"],
    help: "Connections that a client library has opened and sent something on: a storm of them shows as a rate.",
    seriesMax: serversMax,
  },
  connectionsClosed: {
    name: "loophound_connections_closed_total",
    type: "counter",
    unit: "1",
    labels: ["client", "server"],
    help: "Connections counted as opened that have ended, by whichever end.",
    seriesMax: serversMax,
  },
  experiments: {
    name: "loophound_control_experiments_total",
    type: "counter",
    unit: "1",
    labels: [],
    help: "Control experiments begun: a connection and a PING of the watchdog's own, while somebody waited too long for a server.",
    seriesMax: 1,
  },
  ledgerDropped: {
    name: "loophound_ledger_dropped_total",
    type: "counter",
    unit: "1",
    labels: [],
    help: "Command records that were overwritten before the watchdog could read them.",
    seriesMax: 1,
  },
  eventLoopUtilization: {
    name: "loophound_event_loop_utilization_ratio",
    type: "gauge",
    unit: "1",
    labels: ["thread"],
    help: "Part of the last ten seconds in which the event loop did something else than wait for events, from 0 to 1.",
    seriesMax: threadsMax,
  },
  watchdogCpu: {
    name: "loophound_watchdog_cpu_seconds_total",
    type: "counter",
    unit: "seconds",
    labels: [],
    help: "CPU time of the watchdog thread: what loophound costs beside the application.",
    seriesMax: 1,
  },
  gcSeconds: {
    name: "loophound_gc_seconds_total",
    type: "counter",
    unit: "seconds",
    labels: ["kind"],
    help: "Time spent in garbage collection, by kind.",
    seriesMax: ownListMax,
  },
  internalErrors: {
    name: "loophound_internal_errors_total",
    type: "counter",
    unit: "1",
    labels: ["room"],
    help: "Failures of loophound itself, caught and survived, by the part of it.",
    seriesMax: ownListMax,
  },
  watchdogDelay: {
    name: "loophound_watchdog_delay_seconds",
    type: "histogram",
    unit: "seconds",
    labels: [],
    help: "Lateness of the watchdog thread itself: when it is late too, the machine is short of CPU.",
    seriesMax: 1,
    buckets: delayBuckets,
  },
  agentInfo: {
    name: "loophound_agent_info",
    type: "gauge",
    unit: "1",
    labels: ["version", "node", "platform", "arch"],
    help: "Always 1; the labels say which loophound runs where.",
    seriesMax: 1,
  },
  dropped: {
    name: "loophound_dropped_total",
    type: "counter",
    unit: "1",
    labels: ["what"],
    help: "What loophound let go to stay within its limits, by what it was.",
    seriesMax: ownListMax,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricKey = keyof typeof catalogue;
