// Parses mangled C++ names into trees: the part of the Itanium ABI's grammar that functions of real
// binaries use. A name that is not understood as a whole is refused, so that none is half right.
// Pure. Watchdog thread. https://itanium-cxx-abi.github.io/cxx-abi/abi.html#mangling

import { operators, specialNames } from "./demangle-names";
import {
  createParser,
  depthMax,
  eat,
  enterScope,
  expect,
  guarded,
  match,
  nothing,
  type Parser,
  peek,
  refuse,
  remember,
} from "./demangle-state";
import { type Node, text } from "./demangle-tree";
import {
  abiTags,
  cvQualifiers,
  sourceName,
  substitution,
  templateArgs,
  templateParam,
  type,
  types,
} from "./demangle-type";

/** The tree of `_Z...`, or null when any part of it is not understood. */
export function parseMangled(mangled: string): Node | null {
  const parser = createParser(mangled, {
    name: (inner, depth) => name(inner, depth, false).node,
    encoding,
  });
  expect(parser, "_Z");
  const node = guarded(parser, () => encoding(parser, 0));
  return parser.failed || parser.at !== mangled.length ? null : node;
}

/** A name with what follows from it: whether the mangling tells the result type, and `const`. */
interface Named {
  readonly node: Node;
  readonly hasResult: boolean;
  readonly qualifiers: string;
}

function encoding(parser: Parser, depth: number): Node {
  if (depth > depthMax) return refuse(parser);
  const special = specialNames.get(peek(parser, 2));
  if (special !== undefined) {
    parser.at += 2;
    const isType = special.startsWith("guard") === false;
    const node = isType ? type(parser, depth + 1) : name(parser, depth + 1, true).node;
    return { kind: "prefixed", prefix: special, node, suffix: "" };
  }
  if (peek(parser) === "T") return thunk(parser, depth);
  const outer = { templateArgs: parser.templateArgs, scope: parser.scope };
  parser.templateArgs = null;
  enterScope(parser);
  const named = name(parser, depth + 1, true);
  const isData = parser.at >= parser.source.length || peek(parser) === "E" || peek(parser) === ".";
  const node = isData ? named.node : functionOf(parser, depth, named);
  // The parameters of what is inside a function are the function's, unless it has its own.
  parser.templateArgs = outer.templateArgs ?? parser.templateArgs;
  parser.scope = outer.scope;
  return node;
}

function thunk(parser: Parser, depth: number): Node {
  parser.at += 1;
  const offset = "n?\\d+_";
  if (match(parser, new RegExp(`h${offset}`, "y")) !== null) {
    return {
      kind: "prefixed",
      prefix: "non-virtual thunk to ",
      node: encoding(parser, depth + 1),
      suffix: "",
    };
  }
  if (match(parser, new RegExp(`v${offset}${offset}`, "y")) !== null) {
    return {
      kind: "prefixed",
      prefix: "virtual thunk to ",
      node: encoding(parser, depth + 1),
      suffix: "",
    };
  }
  return refuse(parser);
}

function functionOf(parser: Parser, depth: number, named: Named): Node {
  const result = named.hasResult ? type(parser, depth + 1) : null;
  const params = types(parser, depth + 1, () => {
    const next = peek(parser);
    return next === "" || next === "E" || next === ".";
  });
  return { kind: "function", result, name: named.node, params, qualifiers: named.qualifiers };
}

function name(parser: Parser, depth: number, isTop: boolean): Named {
  if (depth > depthMax) return { node: refuse(parser), hasResult: false, qualifiers: "" };
  if (eat(parser, "N")) return nestedName(parser, depth, isTop);
  if (eat(parser, "Z")) return localName(parser, depth, isTop);
  let node: Node;
  let special = false;
  const isStd = eat(parser, "St");
  if (!isStd && peek(parser) === "S") {
    node = substitution(parser);
  } else {
    const simple = unqualified(parser, depth, null);
    special = simple.isSpecial;
    node = isStd ? { kind: "nested", scope: text("std"), name: simple.node } : simple.node;
    if (peek(parser) === "I") remember(parser, node);
  }
  if (peek(parser) !== "I") return { node, hasResult: false, qualifiers: "" };
  return {
    node: { kind: "template", name: node, args: templateArgs(parser, depth + 1, isTop) },
    hasResult: !special,
    qualifiers: "",
  };
}

function nestedName(parser: Parser, depth: number, isTop: boolean): Named {
  const qualifiers = cvQualifiers(parser) + referenceQualifier(parser);
  let scope: Prefix | null = null;
  while (!parser.failed && !eat(parser, "E")) {
    const isKnown: boolean = scope === null && peek(parser) === "S";
    scope = extend(parser, depth, isTop, scope);
    // The whole name is a candidate only as a type, which type() sees to.
    if (!isKnown && peek(parser) !== "E") remember(parser, scope.node);
  }
  const hasResult = scope?.isTemplate === true && !scope.isSpecial;
  return { node: scope?.node ?? refuse(parser), hasResult, qualifiers };
}

interface Prefix {
  readonly node: Node;
  /** Template arguments came last; only such a function's mangling tells its result. */
  readonly isTemplate: boolean;
  readonly isSpecial: boolean;
}

function extend(parser: Parser, depth: number, isTop: boolean, scope: Prefix | null): Prefix {
  if (scope !== null && peek(parser) === "I") {
    const args = templateArgs(parser, depth + 1, isTop);
    return { ...scope, node: { kind: "template", name: scope.node, args }, isTemplate: true };
  }
  const plain = { isTemplate: false, isSpecial: false };
  if (scope === null && peek(parser) === "S") {
    return { ...plain, node: eat(parser, "St") ? text("std") : substitution(parser) };
  }
  if (scope === null && peek(parser) === "T") return { ...plain, node: templateParam(parser) };
  const part = unqualified(parser, depth, scope?.node ?? null);
  if (scope === null) return { ...part, isTemplate: false };
  const node: Node = { kind: "nested", scope: scope.node, name: part.node };
  return { ...part, node, isTemplate: false };
}

function referenceQualifier(parser: Parser): string {
  if (eat(parser, "R")) return " &";
  return eat(parser, "O") ? " &&" : "";
}

/** Z encoding E entity: something inside a function. */
function localName(parser: Parser, depth: number, isTop: boolean): Named {
  const scope = encoding(parser, depth + 1);
  expect(parser, "E");
  if (eat(parser, "s")) {
    discriminator(parser);
    return {
      node: { kind: "nested", scope, name: text("string literal") },
      hasResult: false,
      qualifiers: "",
    };
  }
  if (peek(parser) === "d") return { node: refuse(parser), hasResult: false, qualifiers: "" };
  const entity = name(parser, depth + 1, isTop);
  discriminator(parser);
  return { ...entity, node: { kind: "nested", scope: withoutResult(scope), name: entity.node } };
}

const discriminator = (parser: Parser): string | null => match(parser, /_(?:\d|_\d+_)/y);

/** As a scope a function is written without its result. */
const withoutResult = (node: Node): Node =>
  node.kind === "function" ? { ...node, result: null } : node;

interface Unqualified {
  readonly node: Node;
  /** Constructors, destructors and conversions have no result type in their mangling. */
  readonly isSpecial: boolean;
}

function unqualified(parser: Parser, depth: number, scope: Node | null): Unqualified {
  eat(parser, "L");
  const next = peek(parser);
  const plain = (node: Node): Unqualified => ({ node: abiTags(parser, node), isSpecial: false });
  const special = (node: Node): Unqualified => ({ node: abiTags(parser, node), isSpecial: true });
  if (next >= "0" && next <= "9") return plain(sourceName(parser));
  if (match(parser, /C[1-5]/y) !== null) return special(text(lastName(scope)));
  if (match(parser, /D[0-5]/y) !== null) return special(text(`~${lastName(scope)}`));
  if (peek(parser, 2) === "Ul" || peek(parser, 2) === "Ut") return plain(unnamed(parser, depth));
  if (eat(parser, "cv")) {
    const target = type(parser, depth + 1);
    return special({ kind: "prefixed", prefix: "operator ", node: target, suffix: "" });
  }
  if (eat(parser, "li"))
    return plain({ kind: "prefixed", prefix: 'operator"" ', node: sourceName(parser), suffix: "" });
  const operator = operators.get(peek(parser, 2));
  if (operator === undefined) return { node: refuse(parser), isSpecial: false };
  parser.at += 2;
  return plain(text(`operator${operator}`));
}

/** Ul params E [number] _ is a lambda, Ut [number] _ a type without a name. */
function unnamed(parser: Parser, depth: number): Node {
  const isLambda = eat(parser, "Ul");
  if (!isLambda) parser.at += 2;
  let params: Node[] = [];
  if (isLambda) {
    const outer = parser.scope;
    enterScope(parser);
    parser.lambdaDepth += 1;
    params = types(parser, depth + 1, () => peek(parser) === "E");
    parser.lambdaDepth -= 1;
    parser.scope = outer;
    expect(parser, "E");
  }
  const number = match(parser, /\d*_/y);
  if (number === null) return refuse(parser);
  const suffix = `#${number === "_" ? 1 : Number(number.slice(0, -1)) + 2}}`;
  if (!isLambda) return text(`{unnamed type${suffix}`);
  const node: Node = { kind: "function", result: null, name: nothing, params, qualifiers: "" };
  return { kind: "prefixed", prefix: "{lambda", node, suffix };
}

/** A constructor is called as its class, without template arguments. */
function lastName(scope: Node | null): string {
  if (scope === null) return "";
  if (scope.kind === "template") return lastName(scope.name);
  if (scope.kind === "nested") return lastName(scope.name);
  if (scope.kind === "prefixed" && scope.prefix === "") return lastName(scope.node);
  if (scope.kind !== "text") return "";
  const abbreviated: { readonly [text: string]: string } = {
    "std::string": "basic_string",
    "std::istream": "basic_istream",
    "std::ostream": "basic_ostream",
    "std::iostream": "basic_iostream",
  };
  return abbreviated[scope.text] ?? scope.text.replace(/^std::/, "");
}
