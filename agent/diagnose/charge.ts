// Which commands paid for a stall, and with how much of their time. Pure.

import type { CommandRecord } from "../model/command";
import type { Interval } from "../model/evidence";
import type { Blame, ChargedCommand } from "../model/incident";
import { type Parts, partsOf, totalOf, type Wait } from "./parts";
import { roundMs } from "./rule";

/** One command that overlaps a stall, with names resolved. */
export interface HeldCommand extends Wait {
  readonly sequence: number;
  readonly client: string;
  readonly host: string | null;
  readonly port: number | null;
}

/** Less than this of a command's time is not worth a line. */
const chargedFromMs = 1;
/** A stall that had less of what nobody asked for is not what the command paid for. */
const chargedFrom = 0.5;

/** Whether a command is charged to the loop; else whoever has most of it has an incident of its own. */
export const isTheLoops = ({ blame }: Parts): boolean =>
  blame.loopMs >= chargedFromMs &&
  blame.loopMs >= (totalOf(blame) - blame.intendedMs) * chargedFrom;

/** Commands that paid for stalls, by client, command and server, dearest first; `onCharged` for each one. */
export function chargeCommands(
  held: readonly HeldCommand[],
  onCharged: (sequence: number) => void = () => undefined,
): readonly ChargedCommand[] {
  const charged = new Map<string, ChargedCommand>();
  for (const command of held) {
    const parts = partsOf(command);
    if (!isTheLoops(parts)) continue;
    onCharged(command.sequence);
    const { client, command: name, host, port } = command;
    const key = `${client} ${name} ${host}:${port}`;
    const before = charged.get(key);
    const one = { client, command: name, host, port, count: 1, ...billed(parts) };
    const slowest = before === undefined || one.maxMs > before.maxMs ? one : before;
    charged.set(key, { ...slowest, count: (before?.count ?? 0) + 1 });
  }
  return [...charged.values()].sort((a, b) => b.blame.loopMs - a.blame.loopMs);
}

/** One command with its blame, as an incident lists it. */
export function chargeOne(record: CommandRecord, parts: Parts): ChargedCommand {
  const { host = null, port = null, client = "unknown" } = record.connection ?? {};
  return { client, command: record.command, host, port, count: 1, ...billed(parts) };
}

/** Rounds the parts, and the whole to their sum, so that they still add up. */
function billed({ blame: exact, uncertaintyMs }: Parts) {
  const blame: Blame = {
    queueMs: roundMs(exact.queueMs),
    networkMs: roundMs(exact.networkMs),
    serverMs: roundMs(exact.serverMs),
    loopMs: roundMs(exact.loopMs),
    intendedMs: roundMs(exact.intendedMs),
    unknownMs: roundMs(exact.unknownMs),
  };
  return { maxMs: roundMs(totalOf(blame)), blame, uncertaintyMs: roundMs(uncertaintyMs) };
}

/** What is charged to one stall alone. */
export const blameFor = (command: HeldCommand, stall: Interval): Blame =>
  partsOf({ ...command, stalls: [stall] }).blame;
