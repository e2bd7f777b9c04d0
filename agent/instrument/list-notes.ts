// Takes note of what enters and leaves the lists of a client. Application thread, once per command. The
// functions replaced make no errors and call nothing of the application's, so none of ours shows in
// a stack that it prints; a failure in a note is counted and changes nothing.

import { countFault } from "../base/guard";
import { type Restore, replaceFunction } from "./wrap";

/** `item`: the first argument, or for `noteAfter` the result. */
export type Note<List, Item> = (list: List, item: Item) => void;

type Method<List> = (this: List, ...args: unknown[]) => unknown;

export function noteBefore<List, Item = unknown>(
  owner: object,
  method: string,
  note: Note<List, Item>,
): Restore | null {
  return replaceFunction<Method<List>>(owner, method, (original) => {
    return function (this: List, ...args) {
      safely(note, this, args[0] as Item);
      return original.apply(this, args);
    };
  });
}

export function noteAfter<List, Item = unknown>(
  owner: object,
  method: string,
  note: Note<List, Item>,
): Restore | null {
  return replaceFunction<Method<List>>(owner, method, (original) => {
    return function (this: List, ...args) {
      const result = original.apply(this, args);
      safely(note, this, result as Item);
      return result;
    };
  });
}

function safely<List, Item>(note: Note<List, Item>, list: List, item: Item): void {
  try {
    note(list, item);
  } catch (error) {
    countFault("instrument", error);
  }
}
