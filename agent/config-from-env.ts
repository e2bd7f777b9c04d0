// Reads the configuration from LOOPHOUND_* variables and the options of start(), by the one table in
// model/config. Options win over variables. What makes no sense is named in one line each and its
// default used: a typing error must never stop somebody's application.

import { plainText } from "./base/plain-text";
import { accepts, type ConfigValue, parseValue } from "./config-values";
import { type Config, type ConfigOption, configOptions, defaultConfig } from "./model/config";

/** Options of start(); undefined is the same as not given. */
export type GivenOptions = { readonly [Key in keyof Config]?: Config[Key] | undefined };

export interface ReadConfig {
  readonly config: Config;
  /** One line each, without a newline; safe to print. */
  readonly complaints: readonly string[];
}

const prefix = "LOOPHOUND_";
/** An environment full of wrong names must not fill stderr. */
const complaintsMax = 16;
const shownLengthMax = 60;
/** Two slips of the finger, in a name long enough; with more, the list is of more help than a guess. */
const editsMax = 2;

interface Nonsense {
  readonly option: ConfigOption;
  /** As the user wrote it: the variable, or the option of start(). */
  readonly name: string;
  readonly value: unknown;
}

/** Never throws. An empty variable counts as not set, as `NAME=` does in a compose file. */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  options: GivenOptions = {},
): ReadConfig {
  const given = entriesOf(options);
  const nonsense: Nonsense[] = [];
  const values: Partial<Record<keyof Config, ConfigValue>> = {};
  for (const option of configOptions) {
    const read = (name: string, value: unknown): void => {
      const parsed = parseValue(option.type, value);
      if (parsed !== undefined) values[option.key] = parsed;
      else nonsense.push({ option, name, value });
    };
    const variable = env[option.env];
    if (variable !== undefined && variable.trim() !== "") read(option.env, variable);
    const value = given.get(option.key);
    if (value !== undefined) read(`option ${option.key}`, value);
  }
  const config = { ...defaultConfig, ...values } as Config;
  const complaints = [
    ...nonsense.map((item) => complaint(item, config)),
    ...unknownNames(env, given),
  ];
  return { config: coherent(config, complaints), complaints: bounded(complaints) };
}

/** A proxy or a getter of the caller's may throw; then the option is as good as absent. */
function entriesOf(options: unknown): ReadonlyMap<string, unknown> {
  if (typeof options !== "object" || options === null) return new Map();
  try {
    return new Map(Object.entries(options));
  } catch {
    return new Map([["(unreadable)", null]]);
  }
}

/** What is used instead need not be the default: the other of variable and option may be sound. */
function complaint({ option, name, value }: Nonsense, config: Config): string {
  return `${name}=${shown(value)} makes no sense: it takes ${accepts(option.type)}; using ${shown(config[option.key])}`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return plainText(value, shownLengthMax);
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === null) return "off";
  return typeof value === "number" ? String(value) : `(${typeof value})`;
}

function unknownNames(
  env: Readonly<Record<string, string | undefined>>,
  given: ReadonlyMap<string, unknown>,
): readonly string[] {
  const variables = configOptions.map(({ env: name }) => name);
  const keys = configOptions.map(({ key }) => key as string);
  const strangers = (names: Iterable<string>, known: readonly string[], what: string) =>
    [...names]
      .filter((name) => !known.includes(name))
      .map((name) => `${what}${plainText(name, shownLengthMax)} is not known${hint(name, known)}`);
  const prefixed = Object.keys(env).filter((name) => name.startsWith(prefix));
  return [...strangers(prefixed, variables, ""), ...strangers(given.keys(), keys, "option ")];
}

function hint(name: string, known: readonly string[]): string {
  const ranked = known
    .map((candidate) => ({ candidate, edits: editDistance(name, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  const nearest = ranked[0];
  return nearest !== undefined && nearest.edits <= Math.min(editsMax, Math.floor(name.length / 3))
    ? `: did you mean ${nearest.candidate}?`
    : `; known are ${known.join(", ")}`;
}

/** Levenshtein distance, ignoring case; names far apart in length are not compared in full. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > editsMax) return Number.POSITIVE_INFINITY;
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}

/** An incident is a stall first: its threshold cannot lie below. */
function coherent(config: Config, complaints: string[]): Config {
  if (config.incidentMs >= config.stallMs) return config;
  complaints.push(
    `incidents from ${config.incidentMs} ms make no sense with stalls from ${config.stallMs} ms (LOOPHOUND_INCIDENT_MS, LOOPHOUND_STALL_MS): incidents open from ${config.stallMs} ms`,
  );
  return { ...config, incidentMs: config.stallMs };
}

function bounded(complaints: readonly string[]): readonly string[] {
  const left = complaints.length - complaintsMax;
  if (left <= 0) return complaints;
  return [...complaints.slice(0, complaintsMax), `and ${left} more settings that make no sense`];
}
