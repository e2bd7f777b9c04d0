// What every adapter of a client library is given, and what it is. Application thread.

import type { LedgerWriter } from "../base/ledger";
import type { ModuleTarget } from "./module-hook";
import type { Registry } from "./registry";
import type { Shape } from "./shapes";
import type { Restore } from "./wrap";

export interface Taps {
  readonly ledger: LedgerWriter;
  readonly registry: Registry;
  /** Monotonic milliseconds, as in base/clock. */
  readonly now: () => number;
  /** A copy of a library is hooked in all the places it takes; `library` as its users call it. */
  onHooked(library: string): void;
  /** A copy of a library is not as this agent knows it, and was left alone. */
  onUnfit?(library: string): void;
  /** The application made a client object of a hooked library; called for each connection. */
  onClient(): void;
  /** Called with what takes a replacement back. */
  keep(restore: Restore): void;
}

export interface Adapter {
  /** The files of the library in which something is replaced. */
  targets(taps: Taps): readonly ModuleTarget[];
  /** How its objects are recognised where no file tells of it: in a bundle. */
  shapes?(taps: Taps): readonly Shape[];
}
