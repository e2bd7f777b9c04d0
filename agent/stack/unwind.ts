// One unwinding step: from a frame's registers and its row of rules to the caller's registers. Only
// registers that are really known take part; a step that needs another one says which. Watchdog thread.
// Register numbers: System V ABI AMD64 supplement, figure 3.36; DWARF for the Arm 64-bit architecture, 4.1.

import { fail, type Result, succeed } from "../model/result";
import { address, bytes } from "../model/units";
import type { CfaRule, RegisterRule, Row } from "./cfa-program";
import { type ExpressionInput, evaluate, type NeedsRegister } from "./dwarf-expression";
import type { Memory } from "./memory";

export type Machine = "x64" | "arm64";

/** What a callee must preserve, by DWARF number; `fp` is one of them. */
export interface RegisterNames {
  readonly sp: number;
  readonly fp: number;
  readonly calleeSaved: readonly number[];
}

export const registerNames: { readonly [machine in Machine]: RegisterNames } = {
  // rbx 3, rbp 6, rsp 7, r12 to r15.
  x64: { sp: 7, fp: 6, calleeSaved: [3, 6, 12, 13, 14, 15] },
  // x19 to x28, x29 the frame pointer; x30 (the link register) is the return address, x31 is sp.
  arm64: { sp: 31, fp: 29, calleeSaved: [19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29] },
};

/** One frame's registers, values as of its pc. What is absent from `known` is not known. */
export interface Registers {
  readonly pc: number;
  readonly sp: number;
  /** Callee-saved registers only. */
  readonly known: ReadonlyMap<number, number>;
}

export interface StepInput {
  readonly machine: Machine;
  readonly memory: Memory;
  readonly registers: Registers;
  readonly row: Row;
  readonly returnRegister: number;
}

export type StepResult = Result<Registers> | NeedsRegister;

/** A frame larger than this is a misread one: threads have stacks of 8 MiB and less. */
const frameBytesMax = 8_388_608;
const addressMax = 2 ** 48;

export function step(input: StepInput): StepResult {
  const { machine, memory, registers, row, returnRegister } = input;
  const names = registerNames[machine];
  const expressionInput: ExpressionInput = {
    memory,
    register: (number) => registerValue(names, machine, registers, number),
  };
  const cfa = cfaOf(row.cfa, expressionInput);
  if ("needsRegister" in cfa || !cfa.ok) return cfa;
  // A stack grows down, so a caller's frame lies higher; equal only where nothing was pushed.
  if (!(cfa.value >= registers.sp && cfa.value - registers.sp <= frameBytesMax)) {
    return fail("malformed", `a frame from 0x${registers.sp.toString(16)} to ${cfa.value}`);
  }
  const returnAddress = returnAddressOf(machine, memory, cfa.value, row.rules.get(returnRegister));
  // No rule for the return address: it is still in the link register, which nobody told us.
  if (returnAddress === null) return { needsRegister: returnRegister };
  if (!returnAddress.ok) return returnAddress;
  const known = callerRegisters(input, cfa.value, expressionInput);
  return succeed({ pc: returnAddress.value, sp: cfa.value, known });
}

/** The callee-saved registers that the row restores, and those that this frame left alone. */
function callerRegisters(
  { machine, memory, registers, row }: StepInput,
  cfa: number,
  input: ExpressionInput,
): ReadonlyMap<number, number> {
  const known = new Map<number, number>();
  for (const number of registerNames[machine].calleeSaved) {
    const value = callerValue(row.rules.get(number), cfa, input, memory);
    if (value === null) keep(known, number, registers.known.get(number));
    else if (!("needsRegister" in value) && value.ok) known.set(number, value.value);
  }
  return known;
}

/**
 * A saved return address without arm64's pointer authentication code, which sits above bit 47;
 * kernel Documentation/arch/arm64/pointer-authentication.rst. x86-64 has none.
 */
export function savedCodeAddress(machine: Machine, memory: Memory, at: number): Result<number> {
  if (machine === "x64") return memory.word(address(at));
  const read = memory.read(address(at), bytes(8));
  return read.ok ? succeed(read.value.readUIntLE(0, 6)) : read;
}

function returnAddressOf(
  machine: Machine,
  memory: Memory,
  cfa: number,
  rule: RegisterRule | undefined,
): Result<number> | null {
  if (rule === undefined || rule.kind === "same") return null;
  if (rule.kind === "saved-at") return savedCodeAddress(machine, memory, cfa + rule.offset);
  return fail("unsupported", `a return address by the rule "${rule.kind}"`);
}

function keep(known: Map<number, number>, number: number, value: number | undefined): void {
  if (value !== undefined) known.set(number, value);
}

function registerValue(
  names: RegisterNames,
  machine: Machine,
  registers: Registers,
  number: number,
): number | null {
  if (number === names.sp) return registers.sp;
  if (machine === "x64" && number === 16) return registers.pc;
  return registers.known.get(number) ?? null;
}

function cfaOf(rule: CfaRule | null, input: ExpressionInput): Result<number> | NeedsRegister {
  if (rule === null) return fail("malformed", "a row without a CFA rule");
  if (rule.kind === "expression") return evaluate(rule.expression, null, input);
  const value = input.register(rule.register);
  return value === null ? { needsRegister: rule.register } : succeed(value + rule.offset);
}

/** Null where the rule is "same value" or there is none. */
function callerValue(
  rule: RegisterRule | undefined,
  cfa: number,
  input: ExpressionInput,
  memory: Memory,
): Result<number> | NeedsRegister | null {
  if (rule === undefined || rule.kind === "same") return null;
  switch (rule.kind) {
    case "undefined":
      return fail("gone", "the register was not preserved");
    case "saved-at":
      return savedWord(memory, cfa + rule.offset);
    case "cfa-plus":
      return succeed(cfa + rule.offset);
    case "register": {
      const value = input.register(rule.register);
      return value === null ? { needsRegister: rule.register } : succeed(value);
    }
    case "expression":
      return evaluate(rule.expression, cfa, input);
    case "saved-at-expression": {
      const place = evaluate(rule.expression, cfa, input);
      if ("needsRegister" in place || !place.ok) return place;
      return savedWord(memory, place.value);
    }
  }
}

/** All callee-saved values that matter here are addresses; any other value counts as not known. */
function savedWord(memory: Memory, at: number): Result<number> {
  const read = memory.word(address(at));
  if (!read.ok || read.value < addressMax) return read;
  return fail("malformed", "a saved register that holds no address");
}
