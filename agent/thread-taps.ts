// The hooks of one thread of the application, main or worker, in client libraries and native addons.
// They must not be seen by it.

import { nowMs } from "./base/clock";
import { guard } from "./base/guard";
import { ledgerWriter } from "./base/ledger";
import { installClients } from "./instrument/install";
import { installNativeForwarders } from "./instrument/native-forwarders";
import { createRegistry } from "./instrument/registry";
import type { Config } from "./model/config";
import type { ThreadHandover, ToWatchdog } from "./model/wire";
import type { ThreadMemory } from "./thread-memory";

export interface TapOptions {
  readonly config: Config;
  readonly memory: ThreadMemory;
  readonly post: (message: ToWatchdog) => void;
  readonly onFirstClient: () => void;
  /** A library is loaded in a version that is not known here, and left alone. */
  readonly onUnfit: (library: string) => void;
}

/** The names behind the numbers in a thread's memory. */
export type ThreadNames = Omit<ThreadHandover, "thread">;

export interface ThreadTaps {
  /** Until now. */
  names(): ThreadNames;
  /** Hooks a client by hand; false if its kind is not known, or clients are left alone. */
  instrument(client: object): boolean;
  uninstall(): void;
}

export function installTaps(options: TapOptions): ThreadTaps {
  const { config, memory, post, onFirstClient, onUnfit } = options;
  const registry = createRegistry(post);
  const ledger = ledgerWriter(memory.ledger);
  const hooks = config.clients
    ? installClients({ ledger, registry, now: nowMs, onFirstClient, onUnfit })
    : null;
  const forwarders = config.forwarders
    ? installNativeForwarders({ marker: memory.marker, post })
    : null;
  return {
    names: () => ({ ...registry.snapshot(), nativeFunctions: forwarders?.names() ?? [] }),
    instrument: (client) => guard("instrument", () => hooks?.instrument(client) ?? false, false),
    uninstall() {
      hooks?.uninstall();
      forwarders?.uninstall();
    },
  };
}
