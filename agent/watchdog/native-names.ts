// Names of the native functions that the marker holds by number, as the application thread posts them.

import { markerReader, noFunctionId } from "../base/marker-cell";
import type { ForwardedCall } from "../model/evidence";

/** The application thread numbers fewer; this only bounds a fault of it. */
const namesMax = 8192;

export interface NativeNames {
  add(id: number, call: ForwardedCall): void;
  /** null: not a number of a function, or the message with its name is still on its way. */
  get(id: number): ForwardedCall | null;
}

/** `known`: the function of id `n` at index `n - 1`. */
export function createNativeNames(known: readonly ForwardedCall[]): NativeNames {
  const byId = new Map(known.map((call, index) => [index + 1, call]));
  return {
    add(id, call) {
      if (byId.size < namesMax) byId.set(id, call);
    },
    get: (id) => byId.get(id) ?? null,
  };
}

/** Returns what tells the innermost forwarded call that a thread is in; null for none. */
export function forwardedReader(
  marker: SharedArrayBuffer,
  names: NativeNames,
): () => ForwardedCall | null {
  const read = markerReader(marker);
  return () => {
    const id = read();
    return id === noFunctionId ? null : names.get(id);
  };
}
