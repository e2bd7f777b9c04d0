// Runs a call frame program up to one address and gives the row of rules that holds there: where the
// frame's base (CFA) is and where the caller's registers were saved. Pure. Watchdog thread.
// Instructions: DWARF 5, 6.4.2 and table 7.29; GNU ones: LSB Core 5.0, 10.5; arm64's: AADWARF64, 4.6.

import { fail, type Result, succeed } from "../model/result";
import {
  atEnd,
  type Cursor,
  cursorOn,
  readBytes,
  readPointer,
  readSleb,
  readU8,
  readU16,
  readU32,
  readUleb,
} from "./dwarf-cursor";
import type { Fde } from "./eh-frame";

export type CfaRule =
  | { readonly kind: "register"; readonly register: number; readonly offset: number }
  | { readonly kind: "expression"; readonly expression: Buffer };

/** Where the caller's value of a register is; a register without a rule keeps its value or is lost. */
export type RegisterRule =
  | { readonly kind: "undefined" }
  | { readonly kind: "same" }
  | { readonly kind: "saved-at"; readonly offset: number }
  | { readonly kind: "cfa-plus"; readonly offset: number }
  | { readonly kind: "register"; readonly register: number }
  | { readonly kind: "saved-at-expression"; readonly expression: Buffer }
  | { readonly kind: "expression"; readonly expression: Buffer };

export interface Row {
  readonly cfa: CfaRule | null;
  readonly rules: ReadonlyMap<number, RegisterRule>;
}

interface State {
  cfa: CfaRule | null;
  rules: Map<number, RegisterRule>;
  location: number;
  readonly remembered: { cfa: CfaRule | null; rules: Map<number, RegisterRule> }[];
}

/** x86-64 has 17 registers in call frame information, arm64 96. */
const registersMax = 128;
/** Compilers nest one level. */
const rememberedMax = 32;

/** The row for `vaddr`, which `fde` covers. */
export function rowAt(fde: Fde, vaddr: number): Result<Row> {
  const state: State = { cfa: null, rules: new Map(), location: fde.low, remembered: [] };
  if (!run(cursorOn(fde.initialProgram), fde, state, null, Number.POSITIVE_INFINITY)) {
    return fail("malformed", "a CIE's program");
  }
  const initial = new Map(state.rules);
  state.location = fde.low;
  if (!run(cursorOn(fde.program), fde, state, initial, vaddr)) {
    return fail("malformed", `the program of the frame at 0x${fde.low.toString(16)}`);
  }
  return succeed({ cfa: state.cfa, rules: state.rules });
}

type Initial = ReadonlyMap<number, RegisterRule> | null;

/** Each instruction consumes at least one byte, so this ends; false when something was not understood. */
function run(cursor: Cursor, fde: Fde, state: State, initial: Initial, until: number): boolean {
  while (!atEnd(cursor)) {
    const opcode = readU8(cursor);
    const operand = opcode & 0x3f;
    const advance = advanceOf(cursor, fde, state, opcode);
    if (advance !== null) {
      // A row holds from its location up to the next one.
      if (advance > until) return !cursor.broken;
      state.location = advance;
    } else if (opcode >> 6 === 2) {
      setRule(cursor, state, operand, savedAt(readUleb(cursor) * fde.dataAlign));
    } else if (opcode >> 6 === 3) {
      restore(cursor, state, initial, operand);
    } else if (!runExtended(cursor, fde, state, initial, opcode)) {
      return false;
    }
  }
  return !cursor.broken;
}

/** The new location of an instruction that moves it; null for all others. */
function advanceOf(cursor: Cursor, fde: Fde, state: State, opcode: number): number | null {
  if (opcode >> 6 === 1) return state.location + (opcode & 0x3f) * fde.codeAlign;
  switch (opcode) {
    case 0x01:
      return readPointer(cursor, fde.pointerEncoding, fde.programVaddr, 0) ?? state.location;
    case 0x02:
      return state.location + readU8(cursor) * fde.codeAlign;
    case 0x03:
      return state.location + readU16(cursor) * fde.codeAlign;
    case 0x04:
      return state.location + readU32(cursor) * fde.codeAlign;
    default:
      return null;
  }
}

function runExtended(
  cursor: Cursor,
  fde: Fde,
  state: State,
  initial: Initial,
  opcode: number,
): boolean {
  if (opcode === 0x00) return true;
  if (opcode >= 0x0c && opcode <= 0x0f) return runCfa(cursor, state, opcode);
  if (opcode === 0x12 || opcode === 0x13) return runSignedCfa(cursor, fde, state, opcode);
  switch (opcode) {
    case 0x0a:
      state.remembered.push({ cfa: state.cfa, rules: new Map(state.rules) });
      return state.remembered.length <= rememberedMax;
    case 0x0b: {
      const saved = state.remembered.pop();
      if (saved === undefined) return false;
      state.cfa = saved.cfa;
      state.rules = saved.rules;
      return true;
    }
    case 0x2d: // arm64: toggles "the return address is signed"; the unwinder strips signatures anyway.
      return true;
    case 0x2e: // GNU_args_size concerns exceptions only.
      readUleb(cursor);
      return true;
    default:
      return runRule(cursor, fde, state, initial, opcode);
  }
}

function runRule(
  cursor: Cursor,
  fde: Fde,
  state: State,
  initial: Initial,
  opcode: number,
): boolean {
  const register = readUleb(cursor);
  if (opcode === 0x06) {
    restore(cursor, state, initial, register);
    return true;
  }
  const rule = ruleOf(cursor, fde, opcode);
  if (rule === null) return false;
  setRule(cursor, state, register, rule);
  return true;
}

function ruleOf(cursor: Cursor, fde: Fde, opcode: number): RegisterRule | null {
  switch (opcode) {
    case 0x05:
      return savedAt(readUleb(cursor) * fde.dataAlign);
    case 0x07:
      return { kind: "undefined" };
    case 0x08:
      return { kind: "same" };
    case 0x09:
      return { kind: "register", register: readUleb(cursor) };
    case 0x10:
      return { kind: "saved-at-expression", expression: readBytes(cursor, readUleb(cursor)) };
    case 0x11:
      return savedAt(readSleb(cursor) * fde.dataAlign);
    case 0x14:
      return { kind: "cfa-plus", offset: readUleb(cursor) * fde.dataAlign };
    case 0x15:
      return { kind: "cfa-plus", offset: readSleb(cursor) * fde.dataAlign };
    case 0x16:
      return { kind: "expression", expression: readBytes(cursor, readUleb(cursor)) };
    case 0x2f:
      return savedAt(-readUleb(cursor) * fde.dataAlign);
    default:
      return null;
  }
}

function runCfa(cursor: Cursor, state: State, opcode: number): boolean {
  if (opcode === 0x0f) {
    state.cfa = { kind: "expression", expression: readBytes(cursor, readUleb(cursor)) };
    return true;
  }
  if (opcode === 0x0c) {
    state.cfa = { kind: "register", register: readUleb(cursor), offset: readUleb(cursor) };
    return true;
  }
  // def_cfa_register and def_cfa_offset change one half of a register rule.
  if (state.cfa?.kind !== "register") return false;
  const value = readUleb(cursor);
  state.cfa = opcode === 0x0d ? { ...state.cfa, register: value } : { ...state.cfa, offset: value };
  return true;
}

function runSignedCfa(cursor: Cursor, fde: Fde, state: State, opcode: number): boolean {
  const register = opcode === 0x12 ? readUleb(cursor) : null;
  const offset = readSleb(cursor) * fde.dataAlign;
  if (register !== null) state.cfa = { kind: "register", register, offset };
  else if (state.cfa?.kind === "register") state.cfa = { ...state.cfa, offset };
  else return false;
  return true;
}

const savedAt = (offset: number): RegisterRule => ({ kind: "saved-at", offset });

function setRule(cursor: Cursor, state: State, register: number, rule: RegisterRule): void {
  if (register < registersMax) state.rules.set(register, rule);
  else cursor.broken = true;
}

function restore(cursor: Cursor, state: State, initial: Initial, register: number): void {
  const rule = initial?.get(register);
  if (initial === null) cursor.broken = true;
  else if (rule === undefined) state.rules.delete(register);
  else state.rules.set(register, rule);
}
