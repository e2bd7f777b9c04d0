// Evaluates the DWARF expressions that call frame information uses: those of PLT entries, of realigned
// stacks and of signal trampolines. Pure but for reads of the examined memory. Watchdog thread.
// Operations: DWARF 5, section 2.5 and table 7.9.

import { fail, type Result, succeed } from "../model/result";
import { address, bytes } from "../model/units";
import {
  atEnd,
  type Cursor,
  cursorOn,
  readI8,
  readI16,
  readI32,
  readI64,
  readSleb,
  readU8,
  readU16,
  readU32,
  readU64,
  readUleb,
} from "./dwarf-cursor";
import type { Memory } from "./memory";

export interface ExpressionInput {
  readonly memory: Memory;
  /** Null for a register whose value is not known. */
  register(number: number): number | null;
}

/** An expression that could not be evaluated for want of this register. */
export interface NeedsRegister {
  readonly needsRegister: number;
}

/** Compilers write about ten operations; a loop in a hostile one ends here. */
const operationsMax = 256;
const stackMax = 32;

type Failure = Result<never> | NeedsRegister;

interface Machine {
  readonly cursor: Cursor;
  readonly input: ExpressionInput;
  readonly stack: bigint[];
  failure: Failure | null;
}

/** `initial` is pushed first: the CFA, for the expression of a register's place. */
export function evaluate(
  expression: Buffer,
  initial: number | null,
  input: ExpressionInput,
): Result<number> | NeedsRegister {
  const stack = initial === null ? [] : [BigInt(initial)];
  const machine: Machine = { cursor: cursorOn(expression), input, stack, failure: null };
  for (let count = 0; !atEnd(machine.cursor); count += 1) {
    if (count >= operationsMax) return fail("limit", "a DWARF expression without an end");
    perform(machine, readU8(machine.cursor));
    if (machine.failure !== null) return machine.failure;
    if (machine.stack.length > stackMax) return fail("limit", "a DWARF expression's stack");
  }
  const top = machine.stack.at(-1);
  if (machine.cursor.broken || top === undefined) return fail("malformed", "a DWARF expression");
  return succeed(Number(top));
}

function perform(machine: Machine, operation: number): void {
  const { cursor, stack } = machine;
  if (operation >= 0x30 && operation <= 0x4f) push(machine, operation - 0x30);
  else if (operation >= 0x70 && operation <= 0x8f) pushRegister(machine, operation - 0x70);
  else if (operation === 0x92) pushRegister(machine, readUleb(cursor));
  else if (constants[operation] !== undefined) push(machine, constants[operation](cursor));
  else if (binary[operation] !== undefined) {
    const right = pop(machine);
    const left = pop(machine);
    stack.push(BigInt.asUintN(64, binary[operation](left, right)));
  } else performOther(machine, operation);
}

function performOther(machine: Machine, operation: number): void {
  const action = others[operation];
  if (action !== undefined) action(machine);
  else machine.failure = fail("unsupported", `DWARF operation 0x${operation.toString(16)}`);
}

const others: { readonly [operation: number]: (machine: Machine) => void } = {
  6: dereference,
  18: (machine) => copy(machine, -1),
  19: pop,
  20: (machine) => copy(machine, -2),
  22: (machine) => machine.stack.push(pop(machine), pop(machine)),
  31: (machine) => machine.stack.push(BigInt.asUintN(64, -pop(machine))),
  32: (machine) => machine.stack.push(BigInt.asUintN(64, ~pop(machine))),
  35: (machine) => push(machine, Number(pop(machine)) + readUleb(machine.cursor)),
  40: (machine) => jump(machine.cursor, readI16(machine.cursor), pop(machine) !== 0n),
  47: (machine) => jump(machine.cursor, readI16(machine.cursor), true),
  150: () => undefined,
};

const constants: { readonly [operation: number]: (cursor: Cursor) => number } = {
  3: readU64,
  8: readU8,
  9: readI8,
  10: readU16,
  11: readI16,
  12: readU32,
  13: readI32,
  14: readU64,
  15: readI64,
  16: readUleb,
  17: readSleb,
};

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const flag = (value: boolean): bigint => (value ? 1n : 0n);
/** A shift by more than the width would make a bigint of that many bits. */
const shift = (value: bigint): bigint => (value > 63n ? 64n : value);

const binary: { readonly [operation: number]: (left: bigint, right: bigint) => bigint } = {
  26: (left, right) => left & right,
  28: (left, right) => left - right,
  30: (left, right) => left * right,
  33: (left, right) => left | right,
  34: (left, right) => left + right,
  36: (left, right) => left << shift(right),
  37: (left, right) => left >> shift(right),
  38: (left, right) => signed(left) >> shift(right),
  39: (left, right) => left ^ right,
  41: (left, right) => flag(left === right),
  42: (left, right) => flag(signed(left) >= signed(right)),
  43: (left, right) => flag(signed(left) > signed(right)),
  44: (left, right) => flag(signed(left) <= signed(right)),
  45: (left, right) => flag(signed(left) < signed(right)),
  46: (left, right) => flag(left !== right),
};

function push(machine: Machine, value: number): void {
  machine.stack.push(BigInt.asUintN(64, BigInt(value)));
}

function pop(machine: Machine): bigint {
  const value = machine.stack.pop();
  if (value === undefined) machine.failure = fail("malformed", "a DWARF expression's empty stack");
  return value ?? 0n;
}

function copy(machine: Machine, from: number): void {
  machine.stack.push(machine.stack.at(from) ?? pop(machine));
}

function pushRegister(machine: Machine, number: number): void {
  const offset = readSleb(machine.cursor);
  const value = machine.input.register(number);
  if (value === null) machine.failure = { needsRegister: number };
  else push(machine, value + offset);
}

function dereference(machine: Machine): void {
  const word = machine.input.memory.read(address(Number(pop(machine))), bytes(8));
  if (word.ok) machine.stack.push(word.value.readBigUInt64LE(0));
  else machine.failure ??= word;
}

function jump(cursor: Cursor, distance: number, taken: boolean): void {
  if (!taken) return;
  cursor.at += distance;
  if (cursor.at < 0) cursor.broken = true;
}
