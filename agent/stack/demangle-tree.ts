// A demangled C++ name as a tree, and how it is written out. A tree and not text, because a template
// parameter pack is written once for each of its elements, and a pointer to a function around it.
// Pure. Watchdog thread. The spelling is that of binutils' c++filt, which people search for.

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "nested"; readonly scope: Node; readonly name: Node }
  | { readonly kind: "template"; readonly name: Node; readonly args: readonly Node[] }
  | { readonly kind: "pack"; readonly items: readonly Node[] }
  | { readonly kind: "expansion"; readonly pattern: Node }
  | { readonly kind: "pointer"; readonly mark: "*" | "&" | "&&"; readonly to: Node }
  | { readonly kind: "qualified"; readonly qualifiers: string; readonly type: Node }
  | { readonly kind: "array"; readonly size: string; readonly of: Node }
  | { readonly kind: "member"; readonly owner: Node; readonly type: Node }
  | {
      readonly kind: "function";
      /** Null where the name does not tell, and for constructors. */
      readonly result: Node | null;
      /** Null for a function type that stands alone. */
      readonly name: Node | null;
      readonly params: readonly Node[];
      readonly qualifiers: string;
    }
  | {
      readonly kind: "prefixed";
      readonly prefix: string;
      readonly node: Node;
      readonly suffix: string;
    };

export const text = (value: string): Node => ({ kind: "text", text: value });

/** Substitutions can make a short name's text grow exponentially; what grows beyond this is refused. */
const textMax = 8192;

/** The text, or null when it grew too long. */
export function write(node: Node): string | null {
  const writer: Writer = { element: null, packSize: null, budget: textMax, depth: 0 };
  const [left, right] = parts(writer, node);
  return writer.budget < 0 ? null : left + right;
}

interface Writer {
  /** Which element of a pack is being written; null outside an expansion. */
  element: number | null;
  /** Size of the pack met inside the current expansion. */
  packSize: number | null;
  budget: number;
  depth: number;
}

/** What stands before and behind a declared name: `void (*` and `)(int)`. */
type Parts = readonly [string, string];

const depthMax = 128;

function parts(writer: Writer, node: Node): Parts {
  writer.depth += 1;
  if (writer.depth > depthMax) writer.budget = -1;
  const result: Parts = writer.budget < 0 ? ["", ""] : partsOf(writer, node);
  writer.depth -= 1;
  writer.budget -= result[0].length + result[1].length > textMax ? textMax : 1;
  return result;
}

function whole(writer: Writer, node: Node): string {
  const [left, right] = parts(writer, node);
  return left + right;
}

function partsOf(writer: Writer, node: Node): Parts {
  switch (node.kind) {
    case "text":
      return [node.text, ""];
    case "nested":
      return [`${whole(writer, node.scope)}::${whole(writer, node.name)}`, ""];
    case "template":
      return [templateText(whole(writer, node.name), list(writer, node.args)), ""];
    case "pack":
      return packParts(writer, node);
    case "expansion":
      return [expand(writer, node.pattern).join(", "), ""];
    case "pointer":
      return pointerParts(writer, node);
    case "qualified":
      return qualifiedParts(writer, node);
    case "array":
      return arrayParts(writer, node);
    case "member":
      return declare(writer, node.type, `${whole(writer, node.owner)}::*`);
    case "function":
      return functionParts(writer, node);
    case "prefixed":
      return [`${node.prefix}${whole(writer, node.node)}${node.suffix}`, ""];
  }
}

function templateText(name: string, args: string): string {
  // `operator<` and the old habit of keeping two closing brackets apart.
  const open = name.endsWith("<") ? " <" : "<";
  return `${name}${open}${args}${args.endsWith(">") ? " >" : ">"}`;
}

const list = (writer: Writer, nodes: readonly Node[]): string =>
  nodes.flatMap((node) => listItem(writer, node)).join(", ");

/** An empty pack has no place in a list, not even a comma. */
function listItem(writer: Writer, node: Node): string[] {
  if (node.kind === "expansion") return expand(writer, node.pattern);
  if (node.kind === "pack" && writer.element === null) {
    return node.items.flatMap((item) => listItem(writer, item));
  }
  return [whole(writer, node)];
}

function packParts(writer: Writer, pack: Node & { kind: "pack" }): Parts {
  if (writer.element === null) return [list(writer, pack.items), ""];
  return inElement(writer, pack, (item) => parts(writer, item));
}

/**
 * Calls `use` with what stands for `node` now: the current element of a pack, whose own packs, if it
 * has any, are written whole; else `node` itself.
 */
function inElement<T>(writer: Writer, node: Node, use: (inner: Node) => T): T {
  const { element } = writer;
  if (node.kind !== "pack" || element === null) return use(node);
  writer.element = null;
  const result = use(node.items[element] ?? text(""));
  writer.element = element;
  writer.packSize = node.items.length;
  return result;
}

/** Writes the pattern for the first element, which tells how many there are, then for the others. */
function expand(writer: Writer, pattern: Node): string[] {
  const outer = { element: writer.element, packSize: writer.packSize };
  writer.element = 0;
  writer.packSize = null;
  const first = whole(writer, pattern);
  const size = writer.packSize as number | null;
  const texts = size === 0 ? [] : [first];
  for (let index = 1; index < (size ?? 0) && writer.budget >= 0; index += 1) {
    writer.element = index;
    texts.push(whole(writer, pattern));
  }
  writer.element = outer.element;
  writer.packSize = outer.packSize;
  return size === null ? [`${first}...`] : texts;
}

function pointerParts(writer: Writer, node: Node & { kind: "pointer" }): Parts {
  return inElement(writer, node.to, (to) => {
    if (node.mark === "*" || to.kind !== "pointer" || to.mark === "*") {
      return declare(writer, to, node.mark);
    }
    // Reference collapsing: only && of && stays one.
    return parts(writer, node.mark === "&" ? { ...to, mark: "&" } : to);
  });
}

/** A mark binds tighter than a function's parameters or an array's size, hence the parentheses. */
function declare(writer: Writer, type: Node, mark: string): Parts {
  const [left, right] = parts(writer, type);
  const shape = shapeOf(writer, type);
  if (shape === "function") return [`${left}(${mark}`, `)${right}`];
  if (shape === "array") return [`${left} (${mark}`, `)${right}`];
  return [mark.endsWith("::*") ? `${left} ${mark}` : `${left}${mark}`, right];
}

function shapeOf(writer: Writer, node: Node): Node["kind"] {
  return inElement(writer, node, (inner) =>
    inner.kind === "qualified" ? shapeOf(writer, inner.type) : inner.kind,
  );
}

function qualifiedParts(writer: Writer, node: Node & { kind: "qualified" }): Parts {
  return inElement(writer, node.type, (inner) => {
    const [left, right] = parts(writer, inner);
    // Qualifiers of a function type stand behind it.
    if (inner.kind === "function") return [left, right + node.qualifiers];
    const isTold = inner.kind === "qualified" && inner.qualifiers.includes(node.qualifiers);
    return [isTold ? left : left + node.qualifiers, right];
  });
}

function arrayParts(writer: Writer, node: Node & { kind: "array" }): Parts {
  const [left, right] = parts(writer, node.of);
  const isInner = right.startsWith(" [");
  return [left, isInner ? ` [${node.size}]${right.slice(1)}` : ` [${node.size}]${right}`];
}

function functionParts(writer: Writer, node: Node & { kind: "function" }): Parts {
  const params = `(${list(writer, node.params)})${node.qualifiers}`;
  if (node.name === null) {
    const [left, right] = node.result === null ? ["", ""] : parts(writer, node.result);
    return [`${left} `, params + right];
  }
  const named = whole(writer, node.name) + params;
  if (node.result === null) return [named, ""];
  const [left, right] = parts(writer, node.result);
  // A function that returns a pointer to a function stands inside its parentheses.
  return [left.endsWith("*") && right.startsWith(")") ? left + named : `${left} ${named}`, right];
}
