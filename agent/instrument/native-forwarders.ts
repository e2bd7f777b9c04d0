// Says which native function the application is in, for time on CPU that no system call shows: from
// here on, functions of the addons that it loads are forwarded. Application thread. What was loaded
// before, and what an addon makes later (instances with functions of their own, functions that it
// returns), is not seen.

import { basename } from "node:path";
import { guard } from "../base/guard";
import { markerCells } from "../base/marker-cell";
import type { ForwardedCall } from "../model/evidence";
import type { ToWatchdog } from "../model/wire";
import { type ForwarderCounts, type Forwarding, forwardExports } from "./native-exports";
import { createNativeNames } from "./native-names";
import { replaceFunction } from "./wrap";

export interface ForwarderInstallOptions {
  /** Of this thread; see base/marker-cell. */
  readonly marker: SharedArrayBuffer;
  /** Hears of each forwarded function once. */
  post(message: ToWatchdog): void;
}

export interface InstalledForwarders {
  /** Grows. */
  readonly counts: Readonly<ForwarderCounts>;
  /** Files of the addons that were loaded too early to be forwarded. */
  readonly loadedBefore: readonly string[];
  /** For a watchdog that starts later: the function of id `n` is at index `n - 1`. */
  names(): readonly ForwardedCall[];
  /**
   * Addons loaded from here on are left alone. The others keep their forwarders: the application may
   * hold some of them, and a function must stay equal to itself.
   */
  uninstall(): void;
}

type Dlopen = (this: unknown, ...args: unknown[]) => unknown;

/** Throws nothing; a failure of ours while an addon loads is counted under `forwarders`. */
export function installNativeForwarders(options: ForwarderInstallOptions): InstalledForwarders {
  const names = createNativeNames(options.post);
  const forwarding: Forwarding = {
    cells: markerCells(options.marker),
    counts: { forwarded: 0, locked: 0, unnumbered: 0, constructors: 0 },
    forwarders: new WeakMap(),
    idOf: names.idOf,
  };
  const loadedBefore = Object.keys(require.cache).filter((file) => file.endsWith(".node"));
  const restore = replaceFunction<Dlopen>(
    process,
    "dlopen",
    (dlopen) =>
      function (this: unknown, ...args) {
        const result = Reflect.apply(dlopen, this, args);
        guard("forwarders", () => forwardLoaded(forwarding, args[0], args[1]), undefined);
        return result;
      },
  );
  return {
    counts: forwarding.counts,
    loadedBefore,
    names: names.all,
    uninstall: () => restore?.(),
  };
}

/** The exports are complete when the original process.dlopen has returned. */
function forwardLoaded(forwarding: Forwarding, module: unknown, file: unknown): void {
  if (typeof module !== "object" || module === null || typeof file !== "string") return;
  forwardExports(forwarding, module as { exports: unknown }, basename(file));
}
