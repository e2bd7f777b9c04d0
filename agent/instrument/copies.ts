// The installed copies of a client library, an application may have several, and which of its parts
// are hooked in each. Application thread.

import { sep } from "node:path";
import { guard } from "../base/guard";
import type { Taps } from "./taps";
import type { Restore } from "./wrap";

/** One installed copy. */
export interface Copy<Part extends string> {
  readonly library: string;
  /** A part is hooked if all its places are: a null among `restores` says that it is not. */
  hooked(part: Part, restores: readonly (Restore | null)[]): void;
  /** Whether all parts are hooked: records that nobody closes must not be opened. About 1 ns. */
  isComplete(): boolean;
  onClient(): void;
  keep(restore: Restore): void;
}

export interface CopiesOptions<Part extends string> {
  readonly taps: Taps;
  readonly parts: readonly Part[];
  /** The folder under the library's root in which its files lie. */
  readonly folder: string;
  libraryOf(root: string): string;
}

export interface Copies<Part extends string> {
  /** The copy that the file belongs to. */
  of(filename: string): Copy<Part>;
}

export function createCopies<Part extends string>(options: CopiesOptions<Part>): Copies<Part> {
  const { taps, parts, folder, libraryOf } = options;
  const copies = new Map<string, Copy<Part>>();

  function createCopy(library: string): Copy<Part> {
    const hooked = new Set<Part>();
    let isComplete = false;
    return {
      library,
      isComplete: () => isComplete,
      hooked(part, restores) {
        const made = restores.filter((restore) => restore !== null);
        made.forEach(taps.keep);
        if (made.length < restores.length) return;
        hooked.add(part);
        isComplete = hooked.size === parts.length;
        if (isComplete) taps.onHooked(library);
      },
      onClient: taps.onClient,
      keep: taps.keep,
    };
  }

  return {
    of(filename) {
      const root = filename.slice(0, filename.lastIndexOf(`${sep}${folder}${sep}`));
      const copy = copies.get(root) ?? createCopy(libraryOf(root));
      copies.set(root, copy);
      return copy;
    },
  };
}

/** Captured before the application can replace it (fake timers do). */
const soon = queueMicrotask;

/**
 * To be called when a file has come in that only the library has. The files of a copy come in one
 * after another, all before the first promise goes on.
 */
export function sayIfUnfit(
  taps: Taps,
  { isComplete, library }: Pick<Copy<string>, "isComplete" | "library">,
): void {
  const say = (): void => {
    if (!isComplete()) taps.onUnfit?.(library);
  };
  soon(() => guard("instrument", say, undefined));
}
