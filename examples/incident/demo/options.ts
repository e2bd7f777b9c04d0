// The demo's command line.

import { parseArgs } from "node:util";
import type { SyncClientKind } from "../syncredis";

export const usage = `usage: npm run demo -- [options]

Runs a small HTTP API against a private redis-server, under load and under loophound: first with a
synchronous session client, then with an asynchronous one. Shows what loophound says meanwhile.

  --seconds <n>            how long each of the two runs takes (default 10, at least 3)
  --client <addon|koffi>   insist on one synchronous client (default: the addon where it was compiled)
  --json                   print the result as JSON on stdout, and nothing else there
  --help                   this text

Exit status: 0 when loophound named what was really there and stayed silent when nothing was wrong,
1 when not, 2 for a mistake on the command line.
`;

export interface DemoOptions {
  readonly seconds: number;
  readonly client: SyncClientKind | null;
  readonly json: boolean;
}

export type ParsedOptions =
  | { readonly kind: "run"; readonly options: DemoOptions }
  | { readonly kind: "help" }
  | { readonly kind: "mistake"; readonly says: string };

const secondsLeast = 3;
const secondsMost = 600;

/** Reads the arguments; a mistake is a value, in words for the user. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seconds: { type: "string", default: "10" },
        client: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    return check(values.seconds, values.client, values.json);
  } catch (error) {
    return { kind: "mistake", says: (error as Error).message };
  }
}

function check(seconds: string, client: string | undefined, json: boolean): ParsedOptions {
  const number = Number(seconds);
  if (!(number >= secondsLeast && number <= secondsMost)) {
    const says = `--seconds ${seconds}: a number from ${secondsLeast} to ${secondsMost} is accepted`;
    return { kind: "mistake", says };
  }
  if (client !== undefined && client !== "addon" && client !== "koffi") {
    return { kind: "mistake", says: `--client ${client}: addon or koffi is accepted` };
  }
  return { kind: "run", options: { seconds: number, client: client ?? null, json } };
}
