#!/usr/bin/env node
// The command `loophound`: prints to stdout, errors to stderr; exit code 0 done, 1 a check failed,
// 2 the call's words are off.

import { readConfig } from "./config-from-env";
import { printConfig } from "./config-print";
import { runSelfCheck } from "./self-check";

interface Command {
  readonly usage: string;
  readonly says: string;
  readonly example: string;
  readonly run: (args: readonly string[]) => number | Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  "self-check": {
    usage: "loophound self-check [--json]",
    says: "Blocks a child process once on purpose, under the agent, and shows which evidence this machine gives and whether the incident was found. Takes about three seconds.",
    example: "docker run --rm my-image npx loophound self-check",
    run: (args) => runSelfCheck({ isJson: args.includes("--json") }),
  },
  config: {
    usage: "loophound config [--json]",
    says: "Every setting: its value in this environment, its default, what is accepted, what it does.",
    example: "LOOPHOUND_PORT=0 loophound config",
    run: (args) => {
      const { config, complaints } = readConfig(process.env);
      for (const complaint of complaints) process.stderr.write(`loophound: ${complaint}\n`);
      process.stdout.write(printConfig(config, { json: args.includes("--json") }));
      return complaints.length === 0 ? 0 : 1;
    },
  },
  version: {
    usage: "loophound version",
    says: "The version of loophound, of Node and of V8.",
    example: "loophound version",
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
  const unknown = rest.find((arg) => !command.usage.includes(arg) || !arg.startsWith("--"));
  if (unknown !== undefined) return refuse(`${name} does not take "${unknown}": ${command.usage}`);
  return command.run(rest);
}

function refuse(reason: string): number {
  process.stderr.write(`loophound: ${reason}\n`);
  process.stderr.write(`commands: ${Object.keys(commands).join(", ")} (loophound help)\n`);
  return 2;
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
