#!/usr/bin/env node
// The command `loophound`: prints to stdout, errors to stderr; exit code 0 done, 1 a check failed,
// 2 the call's words are off.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { ruleGroups } from "../exporters/rules/loophound-rules";
import { ruleFile } from "../exporters/rules/rule";
import { readConfig } from "./config-from-env";
import { printConfig } from "./config-print";
import { writeReport } from "./report";
import { runSelfCheck } from "./self-check";

/** What was given after the command's word. */
interface Given {
  /** By the option's long name: true, or its value. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
}

interface Command {
  readonly usage: string;
  readonly says: string;
  readonly example: string;
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  /** Least and most words besides options. */
  readonly words: readonly [number, number];
  readonly run: (given: Given) => number | Promise<number>;
}

/** This file runs as dist/agent/cli.js. */
const dashboardPath = join(__dirname, "../../exporters/dashboard/loophound.json");

const jsonOption = { json: { type: "boolean" } } as const;

const commands: Readonly<Record<string, Command>> = {
  report: {
    usage: "loophound report INCIDENTS.ndjson [-o REPORT.html]",
    says: "Makes one self-contained web page of a log of incidents: timeline, what blocked the loop, who paid, each incident with its evidence. - reads from stdin; without -o the page stands beside the log.",
    example: "loophound report /var/log/incidents.ndjson -o post-mortem.html",
    options: { output: { type: "string", short: "o" } },
    words: [1, 1],
    run: ({ options, words }) => {
      const output = typeof options["output"] === "string" ? options["output"] : null;
      return writeReport({ input: words[0] as string, output });
    },
  },
  alerts: {
    usage: "loophound alerts [--runbooks BASE]",
    says: "Rules for Prometheus: alerts that name the culprit, and recording rules for a view of the fleet. BASE is where the alerts' pages are: docs/runbooks of this package, copied to where your team reads.",
    example: "loophound alerts --runbooks https://wiki.example/loophound > loophound.rules.yml",
    options: { runbooks: { type: "string" } },
    words: [0, 0],
    run: ({ options }) => {
      const base = typeof options["runbooks"] === "string" ? options["runbooks"] : "docs/runbooks";
      process.stdout.write(ruleFile(ruleGroups, base.replace(/\/+$/, "")));
      return 0;
    },
  },
  dashboard: {
    usage: "loophound dashboard",
    says: "The dashboard for Grafana, as JSON to import: whose fault slowness is, what blocks the loop, commands against their baseline, one process or all of them.",
    example: "loophound dashboard > loophound.json",
    options: {},
    words: [0, 0],
    run: () => {
      process.stdout.write(readFileSync(dashboardPath, "utf8"));
      return 0;
    },
  },
  "self-check": {
    usage: "loophound self-check [--json]",
    says: "Blocks a child process once on purpose, under the agent, and shows which evidence this machine gives and whether the incident was found. Takes about three seconds.",
    example: "docker run --rm my-image npx loophound self-check",
    options: jsonOption,
    words: [0, 0],
    run: ({ options }) => runSelfCheck({ isJson: options["json"] === true }),
  },
  config: {
    usage: "loophound config [--json]",
    says: "Every setting: its value in this environment, its default, what is accepted, what it does.",
    example: "LOOPHOUND_PORT=0 loophound config",
    options: jsonOption,
    words: [0, 0],
    run: ({ options }) => {
      const { config, complaints } = readConfig(process.env);
      for (const complaint of complaints) process.stderr.write(`loophound: ${complaint}\n`);
      process.stdout.write(printConfig(config, { json: options["json"] === true }));
      return complaints.length === 0 ? 0 : 1;
    },
  },
  version: {
    usage: "loophound version",
    says: "The version of loophound, of Node and of V8.",
    example: "loophound version",
    options: {},
    words: [0, 0],
    run: () => {
      const { version } = require("../../package.json") as { version: string };
      print(`loophound ${version}, Node ${process.versions.node}, V8 ${process.versions.v8}`);
      return 0;
    },
  },
};

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function help(): string {
  const lines = Object.values(commands).map(({ usage, says }) => `  ${usage}\n      ${says}`);
  return [
    "loophound says whose time a slow Redis command was, and names what blocked the event loop.",
    "",
    "To watch an application, preload the agent:",
    "  node --require loophound/register app.js",
    "",
    "Commands:",
    ...lines,
    "",
    "`loophound COMMAND --help` shows an example.",
  ].join("\n");
}

const isHelp = (word: string | undefined): boolean =>
  word === undefined || ["help", "--help", "-h"].includes(word);

async function main(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || isHelp(word)) {
    print(help());
    return 0;
  }
  const name = word === "--version" || word === "-v" ? "version" : word;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return refuse(`unknown command "${name}"`);
  if (rest.some((arg) => isHelp(arg))) {
    print(`${command.usage}\n\n${command.says}\n\nExample:\n  ${command.example}`);
    return 0;
  }
  const given = parse(command, rest);
  return typeof given === "string"
    ? refuse(`${name} ${given}: ${command.usage}`)
    : command.run(given);
}

/** What was given, or what is wrong with it. */
function parse(command: Command, args: readonly string[]): Given | string {
  const { options } = command;
  const { values, positionals, tokens } = split(options, args);
  const [least, most] = command.words;
  const wrong = tokens.map((token) => objection(options, token)).find((one) => one !== null);
  if (wrong !== undefined) return wrong;
  if (positionals.length > most) return `does not take "${positionals[most]}"`;
  if (positionals.length < least) return "needs more words";
  return { options: values as Given["options"], words: positionals };
}

const split = (options: Command["options"], args: readonly string[]) =>
  parseArgs({ args: [...args], options, strict: false, tokens: true });

type Token = ReturnType<typeof split>["tokens"][number];

function objection(options: Command["options"], token: Token): string | null {
  if (token.kind !== "option") return null;
  const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
  if (option === undefined) return `does not take "${token.rawName}"`;
  const hasValue = (token.value ?? "") !== "";
  if (option.type === "string") return hasValue ? null : `needs a value after ${token.rawName}`;
  return hasValue ? `takes ${token.rawName} without a value` : null;
}

function refuse(reason: string): number {
  process.stderr.write(`loophound: ${reason}\n`);
  process.stderr.write(`commands: ${Object.keys(commands).join(", ")} (loophound help)\n`);
  return 2;
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
