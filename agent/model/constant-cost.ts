// Which commands cost the server the same however much it holds, and which ones wait because
// they were asked to. Both threads; from the generated tables, with what they leave out.
//
// A huge value still takes long to send: "constant" is said of the server's work, not of the bytes.

import { isImmediateOperation } from "./amqp-costs";
import { timeoutPlaces } from "./blocking-commands";
import { redisCommands } from "./redis-commands";

/**
 * Documented as O(1), and yet no measure of the server: RANDOMKEY tries again while it finds expired
 * keys, RENAME and GETDEL free a value of any size, the others change or end the connection.
 */
const constantInNameOnly: ReadonlySet<string> = new Set([
  "GETDEL",
  "HELLO",
  "QUIT",
  "RANDOMKEY",
  "RENAME",
  "RESET",
  "XSETID",
]);

/** Newer than the table: https://redis.io/docs/latest/commands/waitaof/ (7.2). */
const blockingLater: ReadonlySet<string> = new Set(["WAITAOF"]);

const constantCost: ReadonlySet<string> = new Set(
  redisCommands
    .filter(([name, complexity, traits]) => {
      // The ledger keeps no subcommand, so `CONFIG|GET` never stands in it.
      const isWhole = !name.includes("|") && traits === undefined;
      return isWhole && complexity === "O(1)" && !constantInNameOnly.has(name);
    })
    .map(([name]) => name),
);

/**
 * `command` as the ledger has it: of Redis in upper case, of AMQP as in `basic.get`. False for every
 * command that is not in the tables.
 */
export const isConstantCost = (command: string): boolean =>
  constantCost.has(command) || isImmediateOperation(command);

/** Whether the command may wait on the server by its own wish. */
export const isBlocking = (command: string): boolean =>
  Object.hasOwn(timeoutPlaces, command) || blockingLater.has(command);

/**
 * Whether this one did wait by its own wish: XREAD does only with BLOCK. `askedMs` as in a
 * CommandRecord; null, where it was not read, is taken as waiting.
 */
export const isWaiting = (command: string, askedMs: number | null): boolean =>
  askedMs !== 0 && isBlocking(command);

/**
 * How much later than asked a server may give up waiting: it looks at time-outs when it wakes, at
 * least `hz` times a second, 10 by default.
 * https://github.com/redis/redis/blob/7.0.15/src/timeout.c (handleBlockedClientsTimeout)
 */
export const serverTimerMs = 100;
