// What the dashboard shows, as plain data over the catalogue of metrics: rows of panels, each with the
// question that it answers and its queries.

import { catalogue, type MetricDefinition } from "../../agent/model/catalogue";

export interface PanelQuery {
  readonly expr: string;
  /** What a line is called, of its labels. */
  readonly legend: string;
}

export interface PanelDefinition {
  readonly title: string;
  readonly description: string;
  readonly kind: "timeseries" | "table" | "stat";
  /** As Grafana names units. */
  readonly unit: "s" | "percentunit" | "short" | "ops" | "cps";
  readonly queries: readonly PanelQuery[];
}

export interface RowDefinition {
  readonly title: string;
  readonly panels: readonly PanelDefinition[];
}

/** The variables of the dashboard that select series, by the label that they stand for. */
const selecting: Readonly<Record<string, string>> = { server: "$server", command: "$command" };

/** A metric's series of the selected services and instances, and of the servers and commands where it has such labels. */
function of(metric: MetricDefinition, more = "", suffix = ""): string {
  const own = metric.labels
    .filter((label) => Object.hasOwn(selecting, label))
    .map((label) => `${label}=~"${selecting[label]}"`);
  const all = ['job=~"$job"', 'instance=~"$instance"', ...own, ...(more === "" ? [] : [more])];
  return `${metric.name}${suffix}{${all.join(", ")}}`;
}

const rate = (metric: MetricDefinition, by: string, more = ""): string =>
  `sum by (${by}) (rate(${of(metric, more)}[$__rate_interval]))`;

const quantile = (q: number, metric: MetricDefinition, by: string, window: string): string =>
  `histogram_quantile(${q}, sum by (${by}, le) (rate(${of(metric, "", "_bucket")}[${window}])))`;

const m = catalogue;
const culprit = "cause, module, function, syscall, site";

export const rows: readonly RowDefinition[] = [
  {
    title: "Is someone slow, and whose fault is it",
    panels: [
      {
        title: "Loops that stand still now",
        description: "Threads whose event loop does not turn at this moment.",
        kind: "stat",
        unit: "short",
        queries: [{ expr: `sum(${of(m.stalled)})`, legend: "stalled" }],
      },
      {
        title: "Slow commands, by cause",
        description:
          "Commands that were slow for what they are, or that a stall held up, a minute. One colour that rises is the one to look into.",
        kind: "timeseries",
        unit: "short",
        queries: [{ expr: `60 * ${rate(m.slowCommands, "cause")}`, legend: "{{cause}}" }],
      },
      {
        title: "Whose time slow commands were",
        description:
          "Seconds of latency a second, by part: queue, network, server, loop, intended.",
        kind: "timeseries",
        unit: "s",
        queries: [{ expr: rate(m.commandBlame, "part"), legend: "{{part}}" }],
      },
      {
        title: "Part of the time in which the loop stood still, by cause",
        description: "1 % is a loop that is blocked for 600 ms in each minute.",
        kind: "timeseries",
        unit: "percentunit",
        queries: [{ expr: rate(m.stalledSeconds, "cause"), legend: "{{cause}}" }],
      },
    ],
  },
  {
    title: "What blocks us",
    panels: [
      {
        title: "Culprits in this time range",
        description: "Seconds of blocked loop, by addon or API, function, system call and line.",
        kind: "table",
        unit: "s",
        queries: [
          {
            expr: `topk(20, sum by (${culprit}) (increase(${of(m.blockedSeconds)}[$__range])) > 0)`,
            legend: "",
          },
        ],
      },
      {
        title: "Blocked by, over time",
        description: "Part of the time in which the loop stood still, by what held it.",
        kind: "timeseries",
        unit: "percentunit",
        queries: [
          {
            expr: `topk(10, ${rate(m.blockedSeconds, "module, function, site")})`,
            legend: "{{module}} {{function}} {{site}}",
          },
        ],
      },
      {
        title: "The stall that goes on",
        description: "Rises while a loop stands still, with what is known of it so far.",
        kind: "timeseries",
        unit: "s",
        queries: [
          {
            expr: `max by (instance, thread, ${culprit}) (${of(m.currentStall)}) or max by (instance, thread) (${of(m.stallAge)})`,
            legend: "{{instance}} {{cause}} {{module}} {{function}} {{site}}",
          },
        ],
      },
    ],
  },
  {
    title: "Commands against their baseline",
    panels: [
      {
        title: "99th percentile, now and over the last hour",
        description:
          "Select commands of constant cost (TTL, EXPIRE, BLPOP, basic.ack) above: they cost the server the same however much it holds.",
        kind: "timeseries",
        unit: "s",
        queries: [
          {
            expr: quantile(0.99, m.commandDuration, "command", "$__rate_interval"),
            legend: "{{command}}",
          },
          { expr: quantile(0.99, m.commandDuration, "command", "1h"), legend: "{{command}}, 1 h" },
        ],
      },
      {
        title: "Median",
        description: "What a command usually takes, as the application had it.",
        kind: "timeseries",
        unit: "s",
        queries: [
          {
            expr: quantile(0.5, m.commandDuration, "command", "$__rate_interval"),
            legend: "{{command}}",
          },
        ],
      },
      {
        title: "Commands a second, by server",
        description: "",
        kind: "timeseries",
        unit: "ops",
        queries: [
          {
            expr: `sum by (client, server) (rate(${of(m.commandDuration, "", "_count")}[$__rate_interval]))`,
            legend: "{{client}} {{server}}",
          },
        ],
      },
      {
        title: "Commands without a reply yet",
        description: "",
        kind: "timeseries",
        unit: "short",
        queries: [{ expr: `sum by (instance) (${of(m.commandsOpen)})`, legend: "{{instance}}" }],
      },
    ],
  },
  {
    title: "The loop",
    panels: [
      {
        title: "Event loop delay",
        description: "Lateness of the heartbeat, with the beats that a stall prevented.",
        kind: "timeseries",
        unit: "s",
        queries: [0.5, 0.99].map((q) => ({
          expr: quantile(q, m.eventLoopDelay, "thread", "$__rate_interval"),
          legend: `{{thread}}, p${q * 100}`,
        })),
      },
      {
        title: "Event loop utilization",
        description: "Part of the time in which the loop did something else than wait.",
        kind: "timeseries",
        unit: "percentunit",
        queries: [
          {
            expr: `max by (instance, thread) (${of(m.eventLoopUtilization)})`,
            legend: "{{instance}} {{thread}}",
          },
        ],
      },
      {
        title: "Garbage collection",
        description: "Part of the time, by kind.",
        kind: "timeseries",
        unit: "percentunit",
        queries: [{ expr: rate(m.gcSeconds, "kind"), legend: "{{kind}}" }],
      },
    ],
  },
  {
    title: "One process or all of them",
    panels: [
      {
        title: "Processes that find a server slow",
        description:
          "Near 100 %: all processes that talk to it do: look at the server. Near 0: one process alone does: look inside it.",
        kind: "timeseries",
        unit: "percentunit",
        queries: [
          {
            expr:
              `count by (server) (sum by (instance, server) (increase(${of(m.slowCommands)}[5m])) > 0)` +
              ` / count by (server) (sum by (instance, server) (${of(m.commandDuration, "", "_count")}))`,
            legend: "{{server}}",
          },
        ],
      },
      {
        title: "Part of the time in which the loop stood still, by process",
        description: "",
        kind: "timeseries",
        unit: "percentunit",
        queries: [{ expr: rate(m.stalledSeconds, "instance"), legend: "{{instance}}" }],
      },
      {
        title: "Connections",
        description:
          "Rises on both sides when things get slow: a consequence more often than a cause.",
        kind: "timeseries",
        unit: "short",
        queries: [
          {
            expr: `sum by (client, server) (${of(m.connections)})`,
            legend: "{{client}} {{server}}",
          },
        ],
      },
      {
        title: "Connections opened",
        description: "",
        kind: "timeseries",
        unit: "cps",
        queries: [
          { expr: rate(m.connectionsOpened, "client, server"), legend: "{{client}} {{server}}" },
        ],
      },
    ],
  },
  {
    title: "loophound itself",
    panels: [
      {
        title: "CPU of the watchdog thread",
        description: "Of one core.",
        kind: "timeseries",
        unit: "percentunit",
        queries: [{ expr: rate(m.watchdogCpu, "instance"), legend: "{{instance}}" }],
      },
      {
        title: "Lateness of the watchdog thread",
        description: "When it is late too, the machine is short of CPU.",
        kind: "timeseries",
        unit: "s",
        queries: [
          {
            expr: quantile(0.99, m.watchdogDelay, "instance", "$__rate_interval"),
            legend: "{{instance}}, p99",
          },
        ],
      },
      {
        title: "Lost and caught",
        description: "Records that were overwritten, what limits refused, and errors of its own.",
        kind: "timeseries",
        unit: "cps",
        queries: [
          { expr: rate(m.ledgerDropped, "instance"), legend: "records, {{instance}}" },
          { expr: `${rate(m.dropped, "what")} or vector(0)`, legend: "{{what}}" },
          { expr: `${rate(m.internalErrors, "room")} or vector(0)`, legend: "errors, {{room}}" },
        ],
      },
    ],
  },
];

/** An incident is marked on all panels. */
export const incidentMarks = `sum by (instance, cause) (increase(${of(m.incidents)}[$__interval])) > 0`;
