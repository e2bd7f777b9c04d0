// Every setting of the agent: the one table from which the environment is read, `loophound config`
// and the README's table are printed, and bad values are explained. Imports nothing.

export interface Config {
  readonly enabled: boolean;
  readonly log: string | null;
  readonly stderr: boolean;
  readonly host: string;
  /** null: serve nothing. 0: any free port. */
  readonly port: number | null;
  readonly startDelayMs: number;
  readonly stallMs: number;
  readonly incidentMs: number;
  readonly slowCommandMs: number;
  readonly clients: boolean;
  readonly forwarders: boolean;
  readonly workers: boolean;
  readonly probe: boolean;
  readonly sourceMaps: boolean;
}

export type OptionKind =
  | { readonly kind: "switch" }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | { readonly kind: "port" }
  | { readonly kind: "host" }
  | { readonly kind: "path" };

export interface ConfigOption {
  readonly key: keyof Config;
  readonly env: string;
  readonly type: OptionKind;
  readonly fallback: Config[keyof Config];
  /** What it does, and why the default is what it is. */
  readonly says: string;
}

const milliseconds = (min: number, max: number): OptionKind => ({ kind: "integer", min, max });

export const configOptions: readonly ConfigOption[] = [
  {
    key: "enabled",
    env: "LOOPHOUND_ENABLED",
    type: { kind: "switch" },
    fallback: true,
    says: "off: the preload does nothing at all.",
  },
  {
    key: "log",
    env: "LOOPHOUND_LOG",
    type: { kind: "path" },
    fallback: null,
    says: "File that receives one JSON object a line for each incident (NDJSON). Empty: none.",
  },
  {
    key: "stderr",
    env: "LOOPHOUND_STDERR",
    type: { kind: "switch" },
    fallback: true,
    says: "Each incident as a short block of words on stderr, folded and rate-limited.",
  },
  {
    key: "port",
    env: "LOOPHOUND_PORT",
    type: { kind: "port" },
    fallback: 9749,
    says: "TCP port of the live page, /metrics, /healthz and /incidents. 0: any free one. off: serve nothing. Taken: the next free one, said once.",
  },
  {
    key: "host",
    env: "LOOPHOUND_HOST",
    type: { kind: "host" },
    fallback: "127.0.0.1",
    says: "Address to listen on. The default reaches no further than this machine.",
  },
  {
    key: "startDelayMs",
    env: "LOOPHOUND_START_DELAY_MS",
    type: milliseconds(0, 60_000),
    fallback: 1000,
    says: "Age at which a process gets its watchdog thread and port, so that short-lived ones (npm, scripts) pay next to nothing. A Redis client or a listening server starts the thread at once.",
  },
  {
    key: "stallMs",
    env: "LOOPHOUND_STALL_MS",
    type: milliseconds(5, 60_000),
    fallback: 20,
    says: "A loop that has not turned for this long is stalled: counted in the metrics and examined.",
  },
  {
    key: "incidentMs",
    env: "LOOPHOUND_INCIDENT_MS",
    type: milliseconds(5, 600_000),
    fallback: 50,
    says: "A stall of this length is an incident.",
  },
  {
    key: "slowCommandMs",
    env: "LOOPHOUND_SLOW_COMMAND_MS",
    type: milliseconds(1, 600_000),
    fallback: 50,
    says: "A command of constant cost (TTL, EXPIRE, GET ...) that took this long is an incident. One whose cost depends on the data (KEYS, HGETALL, EVALSHA ...) must be far outside its own history as well.",
  },
  {
    key: "clients",
    env: "LOOPHOUND_CLIENTS",
    type: { kind: "switch" },
    fallback: true,
    says: "off: no client library is hooked; stalls are still found and explained.",
  },
  {
    key: "forwarders",
    env: "LOOPHOUND_FORWARDERS",
    type: { kind: "switch" },
    fallback: true,
    says: "off: functions of native addons are left as they are; what they do on CPU can then not be named.",
  },
  {
    key: "workers",
    env: "LOOPHOUND_WORKERS",
    type: { kind: "switch" },
    fallback: true,
    says: "off: only the main thread is watched, not the application's own worker threads.",
  },
  {
    key: "probe",
    env: "LOOPHOUND_PROBE",
    type: { kind: "switch" },
    fallback: true,
    says: "off: no control experiments. On: while a command is outstanding too long, or a stall holds commands up, the watchdog asks that server for a PING (AMQP: the greeting), without credentials, at most once a second; else never.",
  },
  {
    key: "sourceMaps",
    env: "LOOPHOUND_SOURCE_MAPS",
    type: { kind: "switch" },
    fallback: true,
    says: "off: incidents name lines of the scripts that run, also where a source map beside them leads to TypeScript or to a bundle's sources.",
  },
];

export const defaultConfig: Config = Object.fromEntries(
  configOptions.map((option) => [option.key, option.fallback]),
) as unknown as Config;
