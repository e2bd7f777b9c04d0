// The state of parsing one mangled name, and the smallest steps of it. Pure. Watchdog thread.

import { type Node, text } from "./demangle-tree";

export interface Parser {
  readonly source: string;
  at: number;
  readonly substitutions: Node[];
  /** The scope in which a substitution mentioned T_, by index: elsewhere it means another type. */
  readonly boundTo: Map<number, number>;
  /** Numbers the encoding being parsed; one inside another has its own template parameters. */
  scope: number;
  scopes: number;
  paramsSeen: number;
  /** Arguments that T_ refers to: those last seen in the name of the function being parsed. */
  templateArgs: readonly Node[] | null;
  lambdaDepth: number;
  steps: number;
  failed: boolean;
  /** The grammar is recursive across its files: types contain names, and names contain types. */
  readonly rules: Rules;
}

/** What the rules for types need from those for names. */
export interface Rules {
  /** A name as a type; see demangle-name. */
  name(parser: Parser, depth: number): Node;
  encoding(parser: Parser, depth: number): Node;
}

/** A name of 4096 characters takes fewer; this also ends every recursion. */
const stepsMax = 20_000;
export const depthMax = 96;
export const nothing = text("");

export function createParser(source: string, rules: Rules): Parser {
  return {
    source,
    at: 0,
    substitutions: [],
    boundTo: new Map(),
    scope: 0,
    scopes: 0,
    paramsSeen: 0,
    templateArgs: null,
    lambdaDepth: 0,
    steps: 0,
    failed: false,
    rules,
  };
}

export function refuse(parser: Parser): Node {
  parser.failed = true;
  return nothing;
}

export const peek = (parser: Parser, length = 1): string =>
  parser.source.slice(parser.at, parser.at + length);

export function eat(parser: Parser, token: string): boolean {
  if (!parser.source.startsWith(token, parser.at)) return false;
  parser.at += token.length;
  return true;
}

export function expect(parser: Parser, token: string): void {
  if (!eat(parser, token)) parser.failed = true;
}

export function match(parser: Parser, pattern: RegExp): string | null {
  pattern.lastIndex = parser.at;
  const found = pattern.exec(parser.source);
  if (found === null) return null;
  parser.at += found[0].length;
  return found[0];
}

export function remember(parser: Parser, node: Node): Node {
  parser.substitutions.push(node);
  return node;
}

export function enterScope(parser: Parser): void {
  parser.scopes += 1;
  parser.scope = parser.scopes;
}

export function guarded(parser: Parser, parse: () => Node): Node {
  parser.steps += 1;
  if (parser.steps > stepsMax) parser.failed = true;
  return parser.failed ? nothing : parse();
}
