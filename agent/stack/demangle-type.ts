// Parses the types, template arguments and literals of mangled C++ names. What is not known
// (most expressions, decltype, vendor types) is refused. Pure. Watchdog thread.
// https://itanium-cxx-abi.github.io/cxx-abi/abi.html#mangling-type

import { builtinTypes, literalSuffixes, standardNames } from "./demangle-names";
import {
  depthMax,
  eat,
  expect,
  guarded,
  match,
  type Parser,
  peek,
  refuse,
  remember,
} from "./demangle-state";
import { type Node, text } from "./demangle-tree";

export function type(parser: Parser, depth: number): Node {
  if (depth > depthMax) return refuse(parser);
  const [known, seen] = [parser.substitutions.length, parser.paramsSeen];
  const node = guarded(parser, () => typeOf(parser, depth));
  if (parser.paramsSeen !== seen) {
    for (let index = known; index < parser.substitutions.length; index += 1) {
      if (!parser.boundTo.has(index)) parser.boundTo.set(index, parser.scope);
    }
  }
  return node;
}

function typeOf(parser: Parser, depth: number): Node {
  const builtin = builtinType(parser);
  if (builtin !== null) return builtin;
  const qualifiers = cvQualifiers(parser);
  if (qualifiers !== "")
    return remember(parser, { kind: "qualified", qualifiers, type: type(parser, depth + 1) });
  switch (peek(parser)) {
    case "P":
      return pointer(parser, depth, "*");
    case "R":
      return pointer(parser, depth, "&");
    case "O":
      return pointer(parser, depth, "&&");
    case "F":
      return remember(parser, functionType(parser, depth));
    case "A":
      return remember(parser, arrayType(parser, depth));
    case "M": {
      parser.at += 1;
      const owner = type(parser, depth + 1);
      return remember(parser, { kind: "member", owner, type: type(parser, depth + 1) });
    }
    case "T":
      return templatedParam(parser, depth);
    case "D":
      return dType(parser, depth);
    case "S":
      return substitutedType(parser, depth);
    default:
      return remember(parser, parser.rules.name(parser, depth + 1));
  }
}

function builtinType(parser: Parser): Node | null {
  for (const length of [2, 1]) {
    const code = peek(parser, length);
    const spelling = code.length === length ? builtinTypes.get(code) : undefined;
    if (spelling === undefined) continue;
    parser.at += length;
    return text(spelling);
  }
  return null;
}

function pointer(parser: Parser, depth: number, mark: "*" | "&" | "&&"): Node {
  parser.at += 1;
  return remember(parser, { kind: "pointer", mark, to: type(parser, depth + 1) });
}

function functionType(parser: Parser, depth: number): Node {
  expect(parser, "F");
  eat(parser, "Y");
  const result = type(parser, depth + 1);
  const isReferenceEnd = (): boolean => ["RE", "OE"].includes(peek(parser, 2));
  const params = types(parser, depth + 1, () => peek(parser) === "E" || isReferenceEnd());
  const qualifiers = eat(parser, "R") ? " &" : eat(parser, "O") ? " &&" : "";
  expect(parser, "E");
  return { kind: "function", result, name: null, params, qualifiers };
}

function arrayType(parser: Parser, depth: number): Node {
  const size = match(parser, /A\d*_/y);
  if (size === null) return refuse(parser);
  return { kind: "array", size: size.slice(1, -1), of: type(parser, depth + 1) };
}

/** T_ alone, or a template template parameter with arguments. */
function templatedParam(parser: Parser, depth: number): Node {
  const param = remember(parser, templateParam(parser));
  if (peek(parser) !== "I") return param;
  return remember(parser, {
    kind: "template",
    name: param,
    args: templateArgs(parser, depth + 1, false),
  });
}

/** Dp is a pack expansion, Do a noexcept function; decltype and vectors are refused. */
function dType(parser: Parser, depth: number): Node {
  if (eat(parser, "Dp")) {
    return remember(parser, { kind: "expansion", pattern: type(parser, depth + 1) });
  }
  if (eat(parser, "Do")) {
    const plain = functionType(parser, depth);
    return remember(
      parser,
      plain.kind === "function" ? { ...plain, qualifiers: `${plain.qualifiers} noexcept` } : plain,
    );
  }
  return refuse(parser);
}

/** A substitution that is the type itself, a template's name, or `std::` before one. */
function substitutedType(parser: Parser, depth: number): Node {
  if (peek(parser, 2) === "St") return remember(parser, parser.rules.name(parser, depth + 1));
  const node = substitution(parser);
  if (peek(parser) !== "I") return node;
  return remember(parser, {
    kind: "template",
    name: node,
    args: templateArgs(parser, depth + 1, false),
  });
}

/** Parameter types up to `isEnd`; a single `v` is an empty list. */
export function types(parser: Parser, depth: number, isEnd: () => boolean): Node[] {
  const list: Node[] = [];
  while (!parser.failed && !isEnd()) list.push(type(parser, depth));
  const only = list[0];
  return list.length === 1 && only?.kind === "text" && only.text === "void" ? [] : list;
}

export function cvQualifiers(parser: Parser): string {
  const restrict = eat(parser, "r") ? " restrict" : "";
  const isVolatile = eat(parser, "V") ? " volatile" : "";
  return (eat(parser, "K") ? " const" : "") + isVolatile + restrict;
}

export function substitution(parser: Parser): Node {
  expect(parser, "S");
  const standard = standardNames.get(peek(parser));
  if (standard !== undefined) {
    parser.at += 1;
    return abiTags(parser, text(standard));
  }
  const sequence = match(parser, /[0-9A-Z]*_/y);
  if (sequence === null) return refuse(parser);
  const index = sequence === "_" ? 0 : Number.parseInt(sequence.slice(0, -1), 36) + 1;
  const boundTo = parser.boundTo.get(index);
  if (boundTo !== undefined && boundTo !== parser.scope) return refuse(parser);
  return parser.substitutions[index] ?? refuse(parser);
}

export function templateParam(parser: Parser): Node {
  const sequence = match(parser, /T\d*_/y);
  if (sequence === null) return refuse(parser);
  parser.paramsSeen += 1;
  const index = sequence === "T_" ? 0 : Number(sequence.slice(1, -1)) + 1;
  // In a lambda's own parameters it is one of its `auto`s.
  if (parser.lambdaDepth > 0) return text(`auto:${index + 1}`);
  return parser.templateArgs?.[index] ?? refuse(parser);
}

export function templateArgs(parser: Parser, depth: number, isTop: boolean): Node[] {
  const args = argumentsUntilE(parser, depth, "I");
  if (isTop) parser.templateArgs = args;
  return args;
}

function argumentsUntilE(parser: Parser, depth: number, opening: string): Node[] {
  expect(parser, opening);
  const args: Node[] = [];
  while (!parser.failed && !eat(parser, "E")) args.push(templateArg(parser, depth + 1));
  return args;
}

function templateArg(parser: Parser, depth: number): Node {
  if (depth > depthMax) return refuse(parser);
  if (peek(parser) === "X") return expression(parser, depth);
  if (peek(parser) === "J") return { kind: "pack", items: argumentsUntilE(parser, depth, "J") };
  return peek(parser) === "L" ? literal(parser, depth) : type(parser, depth);
}

/** Of the expressions only a parameter and the address of something are known. */
function expression(parser: Parser, depth: number): Node {
  expect(parser, "X");
  const isAddress = eat(parser, "ad");
  const node = isAddress || peek(parser) === "L" ? literal(parser, depth) : templateParam(parser);
  expect(parser, "E");
  return isAddress ? { kind: "prefixed", prefix: "&", node, suffix: "" } : node;
}

/** L type value E, or L_Z encoding E for an address. */
function literal(parser: Parser, depth: number): Node {
  expect(parser, "L");
  if (eat(parser, "_Z")) {
    const node = parser.rules.encoding(parser, depth + 1);
    expect(parser, "E");
    return node.kind === "function" && node.name !== null ? node.name : node;
  }
  const letter = peek(parser);
  const kind = type(parser, depth + 1);
  const digits = match(parser, /n?\d+/y);
  expect(parser, "E");
  if (digits === null) return refuse(parser);
  const number = digits.replace("n", "-");
  if (letter === "b") return text(number === "0" ? "false" : "true");
  const suffix = literalSuffixes.get(letter);
  if (suffix !== undefined) return text(number + suffix);
  return { kind: "prefixed", prefix: "(", node: kind, suffix: `)${number}` };
}

export function abiTags(parser: Parser, node: Node): Node {
  let tagged = node;
  while (!parser.failed && eat(parser, "B")) {
    const tag = sourceName(parser);
    const suffix = tag.kind === "text" ? `[abi:${tag.text}]` : "";
    tagged = { kind: "prefixed", prefix: "", node: tagged, suffix };
  }
  return tagged;
}

export function sourceName(parser: Parser): Node {
  const length = Number(match(parser, /\d{1,4}/y) ?? "0");
  const found = peek(parser, length);
  if (length === 0 || found.length < length) return refuse(parser);
  parser.at += length;
  return text(/^_GLOBAL_[._$]N/.test(found) ? "(anonymous namespace)" : found);
}
