// How large is the frame of a function that addresses it by rbp: call frame information does not say,
// the pushes and the `sub rsp` at the function's start do. Pure. Watchdog thread. It knows the few
// instructions that compilers put there and abstains at the first other one.
// Encodings: Intel SDM volume 2.

/** Code after this many bytes is no prologue. */
export const prologueBytesMax = 192;

/**
 * Bytes between the CFA and rsp once the prologue is done: the return address, the pushes and the
 * `sub rsp`. `code` starts at the function's entry and ends at the pc, or earlier. Null when an
 * instruction was met that is not known, or rsp was changed in another way.
 */
export function prologueFrameBytes(code: Buffer): number | null {
  const frame: Frame = { bytes: 8, probeTarget: null, isProbed: false };
  for (let at = 0; at < code.length; ) {
    const instruction = decode(code, at);
    if (instruction === null) return frame.isProbed ? frame.bytes : null;
    if (instruction.kind === "lose") return null;
    apply(frame, instruction);
    if (isLast(instruction)) break;
    at += instruction.length;
  }
  return frame.bytes;
}

/**
 * A frame is made by one subtraction, but for pages that must be touched in order; and compilers
 * have made the whole frame before the first call.
 */
function isLast({ kind, growsBy }: Instruction): boolean {
  return kind === "call" || (kind === "allocate" && growsBy !== probeBytes);
}

interface Frame {
  bytes: number;
  /** What `bytes` will be when the loop that touches the new pages one by one is done. */
  probeTarget: number | null;
  isProbed: boolean;
}

function apply(frame: Frame, instruction: Instruction): void {
  frame.bytes += instruction.growsBy;
  if (instruction.kind === "probe-target") frame.probeTarget = frame.bytes + instruction.probes;
  if (instruction.kind === "probe-end" && frame.probeTarget !== null) {
    frame.bytes = frame.probeTarget;
    frame.isProbed = true;
  }
}

/** -fstack-clash-protection, on by default in Ubuntu and Fedora, allocates large frames in such steps. */
const probeBytes = 4096;

interface Instruction {
  /** `lose`: a jump away or a change of rsp that is not followed. */
  readonly kind: "other" | "push" | "allocate" | "call" | "lose" | "probe-target" | "probe-end";
  readonly length: number;
  readonly growsBy: number;
  /** Of `probe-target`: bytes that the loop will allocate. */
  readonly probes: number;
}

const other = (length: number): Instruction => ({ kind: "other", length, growsBy: 0, probes: 0 });
const lose: Instruction = { ...other(0), kind: "lose" };

function decode(code: Buffer, start: number): Instruction | null {
  if (code.length - start >= 4 && code.readUInt32BE(start) === endbr64) return other(4);
  const probe = decodeProbe(code, start);
  if (probe !== null) return probe;
  const { at, rex } = opcodeAt(code, start);
  const opcode = code[at];
  if (opcode === undefined) return null;
  const stackEffect = decodeStackEffect(code, start, at, rex);
  if (stackEffect !== null) return stackEffect;
  const end = plainEnd(code, at, opcode, (rex & 8) !== 0);
  return end === null ? null : other(end - start);
}

/** Behind the prefixes; `rex` is 0 where there is none. */
function opcodeAt(code: Buffer, start: number): { at: number; rex: number } {
  let at = start;
  while (at - start < 3 && prefixes.has(code[at] ?? 0)) at += 1;
  const byte = code[at] ?? 0;
  return (byte & 0xf0) === 0x40 ? { at: at + 1, rex: byte } : { at, rex: 0 };
}

/** lea r11, [rsp - n] before the loop, cmp rsp, r11 at its end: so GCC and Clang write it. */
function decodeProbe(code: Buffer, start: number): Instruction | null {
  if (code.length - start >= 8 && code.readUInt32BE(start) === 0x4c8d9c24) {
    return { ...other(8), kind: "probe-target", probes: -code.readInt32LE(start + 4) };
  }
  const isEnd = code[start] === 0x4c && code[start + 1] === 0x39 && code[start + 2] === 0xdc;
  return isEnd ? { ...other(3), kind: "probe-end" } : null;
}

const endbr64 = 0xf30f1efa;
/** 64 is the segment of thread-local data (the stack protector); the others belong to SSE moves. */
const prefixes: ReadonlySet<number> = new Set([0x64, 0x66, 0xf2, 0xf3]);

/** Instructions that move rsp or leave the function; null for all others. */
function decodeStackEffect(
  code: Buffer,
  start: number,
  at: number,
  rex: number,
): Instruction | null {
  const opcode = code[at] ?? 0;
  const group = (code[at + 1] ?? 0) & 0x38;
  if (opcode >= 0x50 && opcode <= 0x57)
    return { ...other(at + 1 - start), kind: "push", growsBy: 8 };
  if (opcode === 0xe8 || (opcode === 0xff && group === 0x10)) {
    return { ...other(0), kind: "call" };
  }
  if (opcode === 0x81 || opcode === 0x83) return group1(code, start, at, rex);
  return isModrmOpcode(opcode) && writesRsp(code, at, rex) ? lose : null;
}

/** cmp and its group on bytes, mov of an immediate: one ModRM operand, then so many bytes. */
const immediateBytes: ReadonlyMap<number, number> = new Map([
  [0x80, 1],
  [0xc6, 1],
  [0xc7, 4],
]);

/** Index after an instruction that leaves rsp alone; null for one that is not known. */
function plainEnd(code: Buffer, at: number, opcode: number, isWide: boolean): number | null {
  if (opcode >= 0x70 && opcode <= 0x7f) return at + 2;
  if (opcode >= 0xb8 && opcode <= 0xbf) return at + (isWide ? 9 : 5);
  const immediate = immediateBytes.get(opcode);
  if (immediate !== undefined) return plus(modrmEnd(code, at + 1), immediate);
  if (opcode === 0x0f) return twoByteEnd(code, at + 1);
  return isModrmOpcode(opcode) ? modrmEnd(code, at + 1) : null;
}

/** ALU operations, test, mov, movsxd and lea, each with one ModRM operand and no immediate. */
function isModrmOpcode(opcode: number): boolean {
  const alu = opcode < 0x40 && (opcode & 7) < 4;
  return alu || opcode === 0x63 || (opcode >= 0x84 && opcode <= 0x8b) || opcode === 0x8d;
}

/** mov or lea with rsp as its destination. */
function writesRsp(code: Buffer, at: number, rex: number): boolean {
  const modrm = code[at + 1] ?? 0;
  const opcode = code[at] ?? 0;
  const register = ((modrm >> 3) & 7) + ((rex & 4) << 1);
  const operand = (modrm & 7) + ((rex & 1) << 3);
  if (opcode === 0x8b || opcode === 0x8d) return register === 4;
  return (
    (opcode & 1) === 1 && opcode !== 0x85 && opcode !== 0x39 && modrm >> 6 === 3 && operand === 4
  );
}

/** add, or, adc, sbb, and, sub, xor, cmp with an immediate; of rsp, only `sub` and `add` are followed. */
function group1(code: Buffer, start: number, at: number, rex: number): Instruction | null {
  const modrm = code[at + 1];
  if (modrm === undefined) return null;
  const wide = code[at] === 0x81;
  const end = plus(modrmEnd(code, at + 1), wide ? 4 : 1);
  if (end === null || end > code.length) return null;
  const ofRsp = modrm >> 6 === 3 && (modrm & 7) === 4 && (rex & 1) === 0;
  if (!ofRsp || (modrm & 0x38) === 0x38) return other(end - start);
  const value = wide ? code.readInt32LE(end - 4) : code.readInt8(end - 1);
  if ((modrm & 0x38) === 0x28) return { ...other(end - start), kind: "allocate", growsBy: value };
  // add rsp, -128 is shorter than sub rsp, 128.
  if ((modrm & 0x38) === 0) return { ...other(end - start), kind: "allocate", growsBy: -value };
  return lose;
}

/** SSE moves and logic, then movzx, movsx and imul: one ModRM operand, no immediate. */
const twoByteModrm: ReadonlySet<number> = new Set([
  0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x1f, 0x28, 0x29, 0x57, 0x6c, 0x6e, 0x6f, 0x7e, 0x7f,
  0xd6, 0xef, 0xaf, 0xb6, 0xb7, 0xbe, 0xbf,
]);

function twoByteEnd(code: Buffer, at: number): number | null {
  const opcode = code[at] ?? 0;
  if (opcode >= 0x80 && opcode <= 0x8f) return at + 5;
  if (opcode === 0xc6 || opcode === 0x70) return plus(modrmEnd(code, at + 1), 1);
  const isConditionalMove = opcode >= 0x40 && opcode <= 0x4f;
  return isConditionalMove || twoByteModrm.has(opcode) ? modrmEnd(code, at + 1) : null;
}

const plus = (end: number | null, count: number): number | null =>
  end === null ? null : end + count;

/** Index after the ModRM byte at `at`, its SIB byte and its displacement. */
function modrmEnd(code: Buffer, at: number): number | null {
  const modrm = code[at];
  if (modrm === undefined) return null;
  const [mode, operand] = [modrm >> 6, modrm & 7];
  if (mode === 3) return at + 1;
  const sib = operand === 4 ? 1 : 0;
  if (mode === 1) return at + 2 + sib;
  if (mode === 2) return at + 5 + sib;
  const sibBase = sib === 1 ? (code[at + 1] ?? 0) & 7 : null;
  return operand === 5 || sibBase === 5 ? at + 5 + sib : at + 1 + sib;
}
