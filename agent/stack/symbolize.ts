// Names for code addresses: the function symbol that covers each one, demangled. Names that were
// found are kept with the image, a bounded number; a stack that is seen again costs nothing.
// Watchdog thread. An address that no symbol covers has no name: the nearest one would be a guess.

import { type Result, succeed } from "../model/result";
import { demangle } from "./demangle";
import type { ModuleImage } from "./module-images";

/** An application blocks in few places; beyond this the kept names are dropped and found again. */
const namesMax = 4096;

/**
 * The demangled function name for each address, as the image's tables count them, or null. For a
 * return address ask for the byte before it, which belongs to the call. One pass over the image's
 * symbols, 3 to 10 ms for node's, when any address is new.
 */
export function symbolNames(
  image: ModuleImage,
  vaddrs: readonly number[],
): Result<readonly (string | null)[]> {
  const mangled = mangledNames(image, vaddrs);
  if (!mangled.ok) return mangled;
  return succeed(mangled.value.map((name) => (name === null ? null : demangle(name))));
}

/** The same as the tables hold them. */
export function mangledNames(
  image: ModuleImage,
  vaddrs: readonly number[],
): Result<readonly (string | null)[]> {
  if (image.names.size > namesMax) image.names.clear();
  const missing = vaddrs.filter((vaddr) => !image.names.has(vaddr));
  if (missing.length > 0) {
    const found = image.elf.symbolsAt(missing);
    if (!found.ok) return found;
    missing.forEach((vaddr, index) => {
      image.names.set(vaddr, found.value[index]?.name ?? null);
    });
  }
  return succeed(vaddrs.map((vaddr) => image.names.get(vaddr) ?? null));
}
