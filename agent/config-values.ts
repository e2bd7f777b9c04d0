// What a value of each kind of setting may look like, from an environment variable (text) or from the
// options of start() (typed). Pure; never throws.

import type { Config, OptionKind } from "./model/config";

export type ConfigValue = Config[keyof Config];

/** undefined: the value makes no sense for this kind. */
export function parseValue(type: OptionKind, given: unknown): ConfigValue | undefined {
  switch (type.kind) {
    case "switch":
      return parseSwitch(given);
    case "integer":
      return parseInteger(given, type.min, type.max);
    case "port":
      return parsePort(given);
    case "host":
      return parseHost(given);
    case "path":
      return parsePath(given);
  }
}

/** The same in words, for complaints and for `loophound config`. */
export function accepts(type: OptionKind): string {
  switch (type.kind) {
    case "switch":
      return "on or off";
    case "integer":
      return `a whole number from ${type.min} to ${type.max}`;
    case "port":
      return `a port from 0 to ${portMax}, or off`;
    case "host":
      return "a host name or an IP address";
    case "path":
      return "a path, or off";
  }
}

const portMax = 65_535;
/** RFC 1035 2.3.4: a name has at most 255 octets on the wire, 253 in text. */
const hostLengthMax = 253;
/** PATH_MAX of Linux, less the final null. */
const pathLengthMax = 4095;

const words: ReadonlyMap<string, boolean> = new Map([
  ["on", true],
  ["true", true],
  ["yes", true],
  ["1", true],
  ["off", false],
  ["false", false],
  ["no", false],
  ["0", false],
]);

const word = (given: unknown): string =>
  typeof given === "string" ? given.trim().toLowerCase() : "";

function parseSwitch(given: unknown): boolean | undefined {
  return typeof given === "boolean" ? given : words.get(word(given));
}

function parseInteger(given: unknown, min: number, max: number): number | undefined {
  const value = /^[0-9]{1,9}$/.test(word(given)) ? Number(word(given)) : given;
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
    ? value
    : undefined;
}

/** For a port, 0 is a number and not a word: it asks for any free one. */
function parsePort(given: unknown): number | null | undefined {
  const isOff = given === null || given === false || ["off", "false", "no"].includes(word(given));
  return isOff ? null : parseInteger(given, 0, portMax);
}

function parseHost(given: unknown): string | undefined {
  if (typeof given !== "string") return undefined;
  // An IPv6 address may come in brackets, as in a URL; a zone (fe80::1%eth0) belongs to it.
  const host = given.trim().replace(/^\[([0-9a-f:.]+(?:%\w+)?)\]$/i, "$1");
  const isHost =
    /^[a-z0-9_]([a-z0-9._-]*[a-z0-9])?\.?$/i.test(host) ||
    /^[0-9a-f:.]*:[0-9a-f:.]*(%\w+)?$/i.test(host);
  return isHost && host.length <= hostLengthMax ? host : undefined;
}

function parsePath(given: unknown): string | null | undefined {
  const isOff = given === null || given === false || given === "" || word(given) === "off";
  if (isOff) return null;
  const isPath =
    typeof given === "string" && given.length <= pathLengthMax && !given.includes("\0");
  return isPath ? given : undefined;
}
