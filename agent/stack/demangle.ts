// Readable names for mangled symbols: C++ (Itanium ABI) and Rust's older scheme, which is built on it.
// A name that is not understood as a whole is given as it is. Pure. Watchdog thread.

import { parseMangled } from "./demangle-name";
import { write } from "./demangle-tree";

/** The longest name in node 26 that its functions need; parsing longer ones is not worth the time. */
const mangledMax = 4096;

/** `symbol` as c++filt would write it, or unchanged where it is not mangled or not understood. */
export function demangle(symbol: string): string {
  if (!symbol.startsWith("_Z") || symbol.length > mangledMax) return symbol;
  // GCC's clones of a function (.part.0, .isra.0, .cold) follow the mangled name.
  const dot = symbol.indexOf(".");
  const mangled = dot < 0 ? symbol : symbol.slice(0, dot);
  const rust = demangleRust(symbol);
  if (rust !== null) return rust;
  const clones = dot < 0 ? "" : cloneText(symbol.slice(dot));
  const node = clones === null ? null : parseMangled(mangled);
  const written = node === null ? null : write(node);
  return written === null ? symbol : written + clones;
}

function cloneText(suffixes: string): string | null {
  const clones = suffixes.match(/\.[a-zA-Z_]+(?:\.\d+)*/g);
  if (clones === null || clones.join("") !== suffixes) return null;
  return clones.map((clone) => ` [clone ${clone}]`).join("");
}

/** Rust's escapes: https://github.com/rust-lang/rustc-demangle/blob/0.1.24/src/legacy.rs */
const rustEscapes: { readonly [code: string]: string } = {
  SP: "@",
  BP: "*",
  RF: "&",
  LT: "<",
  GT: ">",
  LP: "(",
  RP: ")",
  C: ",",
};

/** `_ZN4core3fmt5write17h0123456789abcdefE`: a path that ends in a hash, which is left out. */
function demangleRust(symbol: string): string | null {
  const tail = /17h[0-9a-f]{16}E(?:\.llvm\.\w+)?$/.exec(symbol);
  if (tail === null || !symbol.startsWith("_ZN")) return null;
  const body = symbol.slice("_ZN".length, tail.index);
  const parts: string[] = [];
  for (let at = 0; at < body.length; ) {
    const digits = /^\d+/.exec(body.slice(at))?.[0] ?? "";
    const length = Number(digits);
    const part = body.slice(at + digits.length, at + digits.length + length);
    if (digits === "" || part.length !== length || length === 0) return null;
    parts.push(rustPart(part));
    at += digits.length + length;
  }
  return parts.join("::");
}

function rustPart(part: string): string {
  return part
    .replace(/^_(?=\$)/, "")
    .replaceAll("..", "::")
    .replace(/\$(?:u([0-9a-f]{1,6})|([A-Z]{1,2}))\$/g, (whole, code?: string, letters?: string) => {
      if (code !== undefined)
        return String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff));
      return rustEscapes[letters ?? ""] ?? whole;
    });
}
