// What a Redis server says of its own commands (COMMAND, COMMAND DOCS), as text of two TypeScript files.
// Pure; generate.ts asks the server and writes the files, a test compares them with a fresh answer.

import type { TimeoutPlace } from "../../agent/model/timeout-place";

/** One command of COMMAND and COMMAND DOCS, subcommands beside their containers as `CONFIG|GET`. */
export interface ServerCommand {
  /** Upper case. */
  readonly name: string;
  /** As documented; null where the documentation has none. */
  readonly complexity: string | null;
  readonly flags: readonly string[];
  readonly categories: readonly string[];
  readonly arguments: readonly ServerArgument[];
  readonly isContainer: boolean;
}

export interface ServerArgument {
  readonly name: string;
  readonly type: string;
  readonly token: string | null;
  /** Values that it stands for in front of an option: GROUP group consumer are three. */
  readonly words: number;
}

/** The reply of COMMAND: name, arity, flags, three key positions, categories, tips, key specs, subcommands. */
type CommandReply = readonly [
  string,
  number,
  readonly string[],
  number,
  number,
  number,
  readonly string[],
  unknown,
  unknown,
  readonly CommandReply[],
];

/** A map as RESP2 has it: key, value, key, value. */
type Pairs = readonly unknown[];

/** Joins the replies of COMMAND and COMMAND DOCS; sorted by name. */
export function joinReplies(command: unknown, docs: unknown): readonly ServerCommand[] {
  const documented = new Map<string, ReadonlyMap<string, unknown>>();
  for (const [name, doc] of pairs(docs)) collectDocs(name, doc, documented);
  return (command as readonly CommandReply[])
    .flatMap((reply) => [reply, ...reply[9]])
    .map((reply) => join(reply, documented.get(reply[0].toLowerCase())))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const pairs = (map: unknown): ReadonlyMap<string, unknown> => {
  const flat = (map ?? []) as Pairs;
  return new Map(
    flat.flatMap((key, i) => (i % 2 === 0 ? [[String(key), flat[i + 1]] as const] : [])),
  );
};

function collectDocs(
  name: string,
  doc: unknown,
  into: Map<string, ReadonlyMap<string, unknown>>,
): void {
  const fields = pairs(doc);
  into.set(name.toLowerCase(), fields);
  for (const [sub, subDoc] of pairs(fields.get("subcommands"))) collectDocs(sub, subDoc, into);
}

function join(
  [name, , flags, , , , categories, , , subcommands]: CommandReply,
  doc: ReadonlyMap<string, unknown> | undefined,
): ServerCommand {
  const complexity = doc?.get("complexity");
  return {
    name: name.toUpperCase(),
    complexity: typeof complexity === "string" ? complexity : null,
    flags,
    categories,
    arguments: ((doc?.get("arguments") ?? []) as Pairs[]).map(argumentOf),
    isContainer: subcommands.length > 0,
  };
}

function argumentOf(pairsOfOne: Pairs): ServerArgument {
  const fields = pairs(pairsOfOne);
  const token = fields.get("token");
  const inner = (fields.get("arguments") ?? []) as Pairs[];
  const values = fields.get("type") === "pure-token" ? 0 : Math.max(1, inner.length);
  return {
    name: String(fields.get("name")),
    type: String(fields.get("type")),
    token: typeof token === "string" ? token : null,
    words: values + (token === undefined ? 0 : 1),
  };
}

/** Waits for replicas; documented as blocking, but without the flag in 7.0. */
const waitsWithoutFlag: ReadonlySet<string> = new Set(["WAIT"]);

/** Null for a command that never waits on purpose. */
export function timeoutPlace(command: ServerCommand): TimeoutPlace | null {
  const { name, flags, arguments: given } = command;
  if (!flags.includes("blocking") && !waitsWithoutFlag.has(name)) return null;
  const index = given.findIndex((one) => one.name === "timeout" || one.token === "BLOCK");
  const found = given[index];
  if (found === undefined) throw new Error(`${name} blocks, but no time-out is documented`);
  // Documented since 6.0: a time-out in seconds may have decimals; all in milliseconds are integers.
  const unitMs = found.type === "double" ? 1000 : 1;
  if (found.token !== null) {
    const others = given.filter((one) => one.token !== null && one !== found);
    const last = others.at(-1);
    const options = others.filter((one) => one !== last).map((one) => [one.token, one.words]);
    return {
      at: "option",
      token: found.token,
      options: Object.fromEntries(options),
      until: String(last?.token),
      unitMs,
    };
  }
  if (index !== 0 && index !== given.length - 1) {
    throw new Error(`${name} has its time-out in the middle`);
  }
  return { at: index === 0 ? "first" : "last", unitMs };
}

/** What decides whether a command of documented O(1) may be judged by a constant. */
const traits = (command: ServerCommand): readonly string[] => [
  ...(command.isContainer ? ["container"] : []),
  ...(timeoutPlace(command) === null ? [] : ["blocking"]),
  ...["admin", "dangerous"].filter((one) => command.categories.includes(`@${one}`)),
];

const head = (version: string, what: string): string =>
  `// Generated by \`npm run generate\` from the COMMAND and COMMAND DOCS of redis-server ${version}. Do not edit.
// ${what}
`;

/** The text of agent/model/redis-commands.ts. */
export function commandTable(commands: readonly ServerCommand[], version: string): string {
  const rows = commands.map((command) => {
    const list = traits(command);
    const last = list.length === 0 ? "" : `, ${JSON.stringify(list.join(" "))}`;
    return `  [${JSON.stringify(command.name)}, ${JSON.stringify(command.complexity)}${last}],\n`;
  });
  return `${head(version, "Every command with its documented complexity (null: none is documented) and what else bears on its cost.")}
export const redisVersion = ${JSON.stringify(version)};

/** Name, complexity, and of "container blocking admin dangerous" what holds. */
export type RedisCommandRow = readonly [string, string | null, string?];

// biome-ignore format: one line a command.
export const redisCommands: readonly RedisCommandRow[] = [
${rows.join("")}];
`;
}

/** The text of agent/model/blocking-commands.ts. */
export function blockingTable(commands: readonly ServerCommand[], version: string): string {
  const rows = commands.flatMap((command) => {
    const place = timeoutPlace(command);
    return place === null ? [] : [`  ${command.name}: ${literal(place)},\n`];
  });
  return `${head(version, "Commands that wait on the server by their own wish, and where among their arguments the time-out stands.")}
import type { TimeoutPlace } from "./timeout-place";

// biome-ignore format: one line a command.
export const timeoutPlaces: Readonly<Record<string, TimeoutPlace>> = {
${rows.join("")}};
`;
}

/** Inner objects too, in the project's style. */
function literal(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, inner]) => `${key}: ${literal(inner)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
