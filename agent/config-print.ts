// `loophound config`: every setting with the value in force, as a table for people or JSON for
// machines. Pure: the command prints what this returns.

import { plainText } from "./base/plain-text";
import { accepts } from "./config-values";
import { type Config, configOptions } from "./model/config";

interface Row {
  readonly name: string;
  /** The same setting in the options of start(). */
  readonly option: keyof Config;
  readonly value: Config[keyof Config];
  readonly default: Config[keyof Config];
  readonly accepted: string;
  readonly says: string;
}

const valueLengthMax = 60;

/** Ends with a newline. */
export function printConfig(config: Config, { json }: { readonly json: boolean }): string {
  const rows: Row[] = configOptions.map((option) => ({
    name: option.env,
    option: option.key,
    value: config[option.key],
    default: option.fallback,
    accepted: accepts(option.type),
    says: option.says,
  }));
  return json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows);
}

/** What it does stands below each setting: a column of sentences fits no terminal. */
function table(rows: readonly Row[]): string {
  const cells = [
    ["NAME", "VALUE", "DEFAULT", "ACCEPTED"],
    ...rows.map((row) => [row.name, inWords(row.value), inWords(row.default), row.accepted]),
  ];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...cells.map((cell) => (cell[column] as string).length)),
  );
  const lines = cells.map((cell) =>
    cell.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  "),
  );
  const [head, ...settings] = lines;
  return `${[head, ...settings.flatMap((line, i) => [line, `    ${rows[i]?.says}`])].join("\n")}\n`;
}

function inWords(value: Config[keyof Config]): string {
  if (value === null) return "off";
  if (typeof value === "boolean") return value ? "on" : "off";
  return plainText(String(value), valueLengthMax);
}
