// Numbers for the native functions that are forwarded, so that their marker is one integer.
// Application thread.

import type { ForwardedCall } from "../model/evidence";
import type { ToWatchdog } from "../model/wire";

/** The largest addons export some hundred functions; beyond this many, further ones are not forwarded. */
export const nativeFunctionsMax = 4096;
/** A symbol in C++ may be longer, what JavaScript programmers export is not. */
const nameCharsMax = 128;

export interface NativeNames {
  /** The same number for the same name, however often its addon is loaded; null: the table is full. */
  idOf(call: ForwardedCall): number | null;
  /** The function of id `n` at index `n - 1`: 0 is no function. */
  all(): readonly ForwardedCall[];
}

export function createNativeNames(post: (message: ToWatchdog) => void): NativeNames {
  const calls: ForwardedCall[] = [];
  const ids = new Map<string, number>();
  return {
    idOf(call) {
      const module = call.module.slice(0, nameCharsMax);
      const name = call.function.slice(0, nameCharsMax);
      const key = `${module}\0${name}`;
      const known = ids.get(key);
      if (known !== undefined) return known;
      if (calls.length >= nativeFunctionsMax) return null;
      const id = calls.push({ module, function: name });
      ids.set(key, id);
      post({ kind: "native-function", id, module, name });
      return id;
    },
    all: () => [...calls],
  };
}
