// What V8's post-mortem metadata leaves out, per V8 version: offsets, bit positions and enum values
// that the v8dbg_* symbols do not carry. A version that is not listed is refused, never approximated.
//
// The comments name where each fact is declared in V8. The values were taken from running nodes of the
// versions named: functions, code and scopes as V8 prints them (--allow-natives-syntax, %DebugPrint)
// beside their words in memory, and for frames the disassembly of the builtins JSEntry, CEntry and
// CallApiCallback. The tests compare what is read with these values against V8's own stack traces.

/** Offsets are bytes from the start of the object (untagged); bits count from the lowest. */
export interface V8Layout {
  /** Where the files named in the comments below are, at the version that the row was taken from. */
  readonly source: string;
  /** BytecodeArray::kSourcePositionTableOffset; src/objects/bytecode-array.tq. */
  readonly bytecodeArraySourcePositions: number;
  /**
   * Code: the table of source positions (optimized) or of bytecode offsets (baseline), one field;
   * the deoptimization data (optimized) or bytecode (baseline), one field; src/objects/code.h.
   */
  readonly codePositions: number;
  /**
   * How a source position table counts code offsets: with the statement flag in the sign, or with two
   * flags (statement, breakable) below the number; src/codegen/source-position-table.cc EncodeEntry.
   */
  readonly positionSteps: "signed" | "flagged";
  readonly codeDeoptimizationData: number;
  /** Whether Node builds Maglev into it; its safepoint tables are read then. */
  readonly hasMaglev: boolean;
  readonly codeInstructionStart: number;
  readonly codeInstructionSize: number;
  readonly codeFlags: number;
  /**
   * Set when an optimized function was thrown away while still on the stack: the return address then
   * leads to a deoptimization exit and no longer tells a position; Code::marked_for_deoptimization.
   */
  readonly codeDeoptimized: { readonly offset: number; readonly mask: number };
  /** SharedFunctionInfo: bytecode, baseline code, or a builtin's number; src/objects/shared-function-info.tq. */
  readonly sharedFunctionData: number;
  /** JSFunction's last instance type; src/objects/js-function.tq, class JSClassConstructor and others. */
  readonly lastJsFunctionType: number;
  /** src/objects/scope-info.tq: flags as a Smi, or as a plain 32-bit word. */
  readonly scopeFlagsAreSmi: boolean;
  /** Whether position_info precedes the names (slots 3 and 4) or follows the function's name. */
  readonly scopePositionsFirst: boolean;
  /** ScopeType::MODULE_SCOPE. */
  readonly scopeTypeModule: number;
  /**
   * The field of the isolate that holds the innermost exit frame's pointer: ThreadLocalTop::c_entry_fp_
   * in IsolateData; src/execution/isolate-data.h. On x64 the builtins address it from 128 bytes
   * further on (kIsolateRootBias), as a disassembly of CEntry shows.
   */
  readonly isolateCEntryFp: number;
  /** What v8dbg_* must say for this row to be believed: a different build has a different layout. */
  readonly expected: Readonly<Record<string, number>>;
}

const node = (tag: string): string => `https://github.com/nodejs/node/tree/${tag}/deps/v8/src`;

const layouts: ReadonlyMap<string, V8Layout> = new Map([
  [
    "11.3", // Node 20
    {
      source: node("v20.20.2"),
      bytecodeArraySourcePositions: 32,
      codePositions: 24,
      positionSteps: "signed",
      codeDeoptimizationData: 16,
      hasMaglev: false,
      codeInstructionStart: 40,
      codeInstructionSize: 56,
      codeFlags: 48,
      codeDeoptimized: { offset: 52, mask: 1 << 16 },
      sharedFunctionData: 8,
      lastJsFunctionType: 2082,
      scopeFlagsAreSmi: true,
      scopePositionsFirst: false,
      scopeTypeModule: 3,
      isolateCEntryFp: 0x180,
      expected: {
        class_BytecodeArray__data__uintptr_t: 54,
        class_InstructionStream__instruction_start__uintptr_t: 16,
        class_SharedFunctionInfo__flags__int: 48,
        type_Code__CODE_TYPE: 245,
        CodeKindBaseline: 11,
        scopeinfo_idx_first_vars: 3,
      },
    },
  ],
  [
    "12.4", // Node 22
    {
      source: node("v22.23.3"),
      bytecodeArraySourcePositions: 24,
      codePositions: 16,
      positionSteps: "signed",
      codeDeoptimizationData: 8,
      hasMaglev: false,
      codeInstructionStart: 40,
      codeInstructionSize: 52,
      codeFlags: 48,
      codeDeoptimized: { offset: 48, mask: 1 << 29 },
      sharedFunctionData: 8,
      lastJsFunctionType: 2082,
      scopeFlagsAreSmi: true,
      scopePositionsFirst: false,
      scopeTypeModule: 3,
      isolateCEntryFp: 0x110,
      expected: {
        class_BytecodeArray__data__uintptr_t: 64,
        class_InstructionStream__instruction_start__uintptr_t: 32,
        class_Code__flags__uint32_t: 48,
        class_Code__instruction_size__int: 52,
        CodeKindBaseline: 10,
        scopeinfo_idx_first_vars: 3,
      },
    },
  ],
  [
    "13.6", // Node 24
    {
      source: node("v24.21.0"),
      bytecodeArraySourcePositions: 24,
      codePositions: 16,
      positionSteps: "signed",
      codeDeoptimizationData: 8,
      hasMaglev: true,
      codeInstructionStart: 40,
      codeInstructionSize: 56,
      codeFlags: 52,
      codeDeoptimized: { offset: 52, mask: 1 << 6 },
      sharedFunctionData: 8,
      lastJsFunctionType: 2081,
      scopeFlagsAreSmi: false,
      scopePositionsFirst: true,
      scopeTypeModule: 5,
      isolateCEntryFp: 0x140,
      expected: {
        class_BytecodeArray__data__uintptr_t: 64,
        class_InstructionStream__instruction_start__uintptr_t: 32,
        class_Code__flags__uint32_t: 52,
        class_Code__instruction_size__int: 56,
        CodeKindBaseline: 10,
        scopeinfo_idx_first_vars: 5,
      },
    },
  ],
  [
    "14.6", // Node 26
    {
      source: node("v26.10.0"),
      bytecodeArraySourcePositions: 24,
      codePositions: 16,
      positionSteps: "flagged",
      codeDeoptimizationData: 8,
      hasMaglev: true,
      codeInstructionStart: 40,
      codeInstructionSize: 56,
      codeFlags: 52,
      codeDeoptimized: { offset: 52, mask: 1 << 7 },
      sharedFunctionData: 8,
      lastJsFunctionType: 2082,
      scopeFlagsAreSmi: false,
      scopePositionsFirst: true,
      scopeTypeModule: 5,
      isolateCEntryFp: 0x148,
      expected: {
        class_BytecodeArray__data__uintptr_t: 64,
        class_InstructionStream__instruction_start__uintptr_t: 32,
        class_Code__flags__uint32_t: 52,
        class_Code__instruction_size__int: 56,
        CodeKindBaseline: 11,
        scopeinfo_idx_first_vars: 5,
      },
    },
  ],
]);

export const knownV8Versions: readonly string[] = [...layouts.keys()];

/** The row for a `process.versions.v8` such as "13.6.233.17-node.53"; null for a version not listed. */
export function layoutOf(version: string): V8Layout | null {
  const [major, minor] = version.split(".");
  return layouts.get(`${major}.${minor}`) ?? null;
}
