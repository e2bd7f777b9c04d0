// The command line of `npm run accuracy`.

import { parseArgs } from "node:util";

export interface Options {
  /** Major versions; none means all that are installed. */
  readonly majors: readonly number[];
  readonly only: readonly string[];
  readonly repeat: number;
  readonly isJson: boolean;
  /** Keep the results of an earlier run that was broken off. */
  readonly isResumed: boolean;
  /** Run nothing: report what was kept. */
  readonly isReportOnly: boolean;
  readonly writesDocs: boolean;
  /** Another agent's preload and reader, both as paths; null for loophound's own. */
  readonly agent: { readonly preload: string; readonly reader: string } | null;
}

export const usage = `usage: npm run accuracy -- [options]

  --node 20,22    these major versions (default: all that the set-up installed, and the running one)
  --only <name>   programs whose name begins so (sync-native-io/ or gc/full); may be given several times
  --repeat <n>    run each program n times
  --resume        keep the results of an earlier run with the same options, run what is missing
  --report        run nothing, report the results that were kept
  --json          print the scores as JSON
  --docs          write the tables into docs/accuracy.md
  --agent <path> --reader <path>   another agent's preload, and the module that reads its output (docs/accuracy.md)
`;

/** Throws with a sentence at what makes no sense; null when help was asked for. */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      node: { type: "string" },
      only: { type: "string", multiple: true },
      repeat: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      resume: { type: "boolean", default: false },
      report: { type: "boolean", default: false },
      docs: { type: "boolean", default: false },
      agent: { type: "string" },
      reader: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  if ((values.agent === undefined) !== (values.reader === undefined))
    throw new Error("--agent and --reader go together");
  return {
    majors: values.node === undefined ? [] : values.node.split(",").map(positive),
    only: values.only ?? [],
    repeat: positive(values.repeat),
    isJson: values.json,
    isResumed: values.resume || values.report,
    isReportOnly: values.report,
    writesDocs: values.docs,
    agent:
      values.agent === undefined || values.reader === undefined
        ? null
        : { preload: values.agent, reader: values.reader },
  };
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${text} is not a number from 1`);
  return number;
}
