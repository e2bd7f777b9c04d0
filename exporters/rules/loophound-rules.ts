// What an operator should be told, and what a fleet view needs. Data over the catalogue of metrics.

import { catalogue } from "../../agent/model/catalogue";
import type { AlertingRule, RecordingRule, RuleGroup } from "./rule";

const {
  currentStall,
  blockedSeconds,
  stalledSeconds,
  slowCommands,
  commandDuration,
  connections,
  connectionsOpened,
  amqpHeartbeatsMissed,
  agentInfo,
  internalErrors,
} = catalogue;

/** Labels that name a culprit. */
const culprit = "module, function, syscall, site";

const recordings: readonly RecordingRule[] = [
  {
    // Part of the time in which the loop stood still.
    record: "loophound:stalled:ratio_rate1m",
    expr: `sum by (job, instance) (rate(${stalledSeconds.name}[1m]))`,
  },
  {
    // Near 1: all processes that talk to this server find it slow: look at the server. Near 0: one
    // process alone does: look inside it.
    record: "loophound:slow_instances:ratio_increase5m",
    expr:
      `count by (job, server) (sum by (job, instance, server) (increase(${slowCommands.name}[5m])) > 0)` +
      ` / count by (job, server) (sum by (job, instance, server) (${commandDuration.name}_count))`,
  },
  {
    record: "loophound:slow_commands:increase5m",
    expr: `sum by (job, server, cause) (increase(${slowCommands.name}[5m]))`,
  },
];

/** At least so many slow commands in five minutes: fewer are a hiccup. */
const slowCommandsFrom = 5;

const slowBecause = (cause: string): string =>
  `sum by (job, instance, client, server) (increase(${slowCommands.name}{cause="${cause}"}[5m])) >= ${slowCommandsFrom}`;

const loop: readonly AlertingRule[] = [
  {
    alert: "LoophoundLoopBlockedNow",
    expr: `max by (job, instance, thread, cause, ${culprit}) (${currentStall.name}) > 1`,
    for: "0s",
    severity: "critical",
    summary:
      "{{ $labels.instance }}: the event loop has been blocked for {{ $value | humanizeDuration }} by {{ $labels.module }} {{ $labels.function }} ({{ $labels.cause }})",
    description:
      "Nothing else runs on this thread meanwhile. System call: {{ $labels.syscall }}. Called at {{ $labels.site }}. It goes on as this is sent; /incidents of the process has the evidence.",
    runbook: "loop-blocked",
  },
  {
    alert: "LoophoundNativeBindingBlocks",
    expr: `sum by (job, instance, cause, ${culprit}) (rate(${blockedSeconds.name}{cause=~"sync-native-io|sync-native-cpu"}[5m])) > 0.005`,
    for: "1m",
    severity: "warning",
    summary:
      "{{ $labels.instance }}: {{ $labels.module }} blocks the event loop for {{ $value | humanizePercentage }} of the time, called at {{ $labels.site }}",
    description:
      "Function {{ $labels.function }}, system call {{ $labels.syscall }} ({{ $labels.cause }}). Every reply waits as long, whatever server it comes from.",
    runbook: "sync-native-io",
  },
  {
    alert: "LoophoundLoopStalls",
    expr: `sum by (job, instance, cause) (rate(${stalledSeconds.name}{cause!~"sync-native-io|sync-native-cpu"}[5m])) > 0.05`,
    for: "5m",
    severity: "warning",
    summary:
      "{{ $labels.instance }}: the event loop stands still for {{ $value | humanizePercentage }} of the time ({{ $labels.cause }})",
    description: "loophound_blocked_seconds_total names what holds it, and the line.",
    runbook: "loop-blocked",
  },
];

const commands: readonly AlertingRule[] = [
  {
    alert: "LoophoundConstantCommandSlow",
    expr: `sum by (job, instance, client, command, server, cause) (increase(${slowCommands.name}{command=~"TTL|PTTL|EXPIRE|GET|SET|EXISTS|HGET|INCR|basic.get|basic.qos"}[5m])) >= ${slowCommandsFrom}`,
    for: "0s",
    severity: "warning",
    summary:
      "{{ $labels.instance }}: {{ $labels.command }} to {{ $labels.server }} is slow, because of: {{ $labels.cause }}",
    description:
      "{{ $value | humanize }} times in five minutes. It costs the server the same however much it holds, so the cause is elsewhere, unless it is server-slow.",
    runbook: "slow-command",
  },
  {
    alert: "LoophoundServerSlow",
    expr: slowBecause("server-slow"),
    for: "1m",
    severity: "warning",
    summary: "{{ $labels.server }} itself is slow, seen from {{ $labels.instance }}",
    description:
      "{{ $value | humanize }} commands of {{ $labels.client }} in five minutes, proven by a control experiment beside them.",
    runbook: "server-slow",
  },
  {
    alert: "LoophoundNetworkSlow",
    expr: slowBecause("network-slow"),
    for: "1m",
    severity: "warning",
    summary: "The path from {{ $labels.instance }} to {{ $labels.server }} is slow",
    description:
      "{{ $value | humanize }} commands of {{ $labels.client }} in five minutes; a fresh connection took as long.",
    runbook: "network-slow",
  },
  {
    alert: "LoophoundClientQueue",
    expr: slowBecause("client-queue"),
    for: "1m",
    severity: "warning",
    summary:
      "{{ $labels.instance }}: commands to {{ $labels.server }} wait in their own client ({{ $labels.client }})",
    description:
      "{{ $value | humanize }} in five minutes: an offline queue, a pool that is used up, or a slower command ahead on the same connection.",
    runbook: "client-queue",
  },
];

const connectionsAndBroker: readonly AlertingRule[] = [
  {
    alert: "LoophoundConnectionStorm",
    expr:
      `sum by (job, instance, client, server) (increase(${connectionsOpened.name}[1m])) > 60` +
      ` and sum by (job, instance, client, server) (increase(${connectionsOpened.name}[1m]))` +
      ` > sum by (job, instance, client, server) (${connections.name})`,
    for: "1m",
    severity: "warning",
    summary:
      "{{ $labels.instance }} opens {{ $value | humanize }} connections a minute to {{ $labels.server }}",
    description:
      "More than it keeps: a client without a bound, or one that reconnects because its commands time out. It is a consequence more often than a cause: look for a blocked loop first.",
    runbook: "connection-storm",
  },
  {
    alert: "LoophoundAmqpHeartbeatsMissed",
    expr: `sum by (job, instance, server) (increase(${amqpHeartbeatsMissed.name}[5m])) > 0`,
    for: "0s",
    severity: "warning",
    summary:
      "{{ $labels.instance }}: heartbeats to {{ $labels.server }} were not sent because the loop was blocked",
    description: "{{ $value | humanize }} in five minutes. RabbitMQ closes a connection after two.",
    runbook: "amqp-heartbeats",
  },
];

const agent: readonly AlertingRule[] = [
  {
    alert: "LoophoundAgentGone",
    expr: `count by (job, instance) (${agentInfo.name} offset 15m) unless on (job, instance) count by (job, instance) (${agentInfo.name})`,
    for: "5m",
    severity: "info",
    summary: "{{ $labels.instance }} was watched by loophound and no longer is",
    description: "The process has ended, its port is out of reach, or it runs without the preload.",
    runbook: "agent",
  },
  {
    alert: "LoophoundAgentErrors",
    expr: `sum by (job, instance, room) (increase(${internalErrors.name}[15m])) > 0`,
    for: "0s",
    severity: "info",
    summary: "{{ $labels.instance }}: loophound caught errors of its own in {{ $labels.room }}",
    description: "The application is not affected, but evidence may be missing.",
    runbook: "agent",
  },
];

export const ruleGroups: readonly RuleGroup[] = [
  { name: "loophound-recording", rules: recordings },
  { name: "loophound-loop", rules: loop },
  { name: "loophound-commands", rules: commands },
  { name: "loophound-connections", rules: connectionsAndBroker },
  { name: "loophound-agent", rules: agent },
];
