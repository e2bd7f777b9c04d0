// Everything that the agent hooks in one thread of the application, main or worker: client
// libraries, native addons, listening servers. Runs before the application; must not be seen by it.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { nowMs } from "./base/clock";
import { createStderr } from "./base/diag";
import { guard } from "./base/guard";
import { ledgerWriter } from "./base/ledger";
import { signal, signalCells } from "./base/signals";
import { flagCells, threadFlag } from "./base/thread-flags";
import { installClients } from "./instrument/install";
import { installNativeForwarders } from "./instrument/native-forwarders";
import { createRegistry } from "./instrument/registry";
import type { Config } from "./model/config";
import type { ThreadHandover, ToWatchdog } from "./model/wire";
import type { ThreadMemory } from "./thread-memory";

export interface TapOptions {
  readonly config: Config;
  readonly memory: ThreadMemory;
  /** Of the process. */
  readonly signals: SharedArrayBuffer;
  readonly post: (message: ToWatchdog) => void;
  /** Others wait for this loop from now on: it listens, or has made a client. May be called again. */
  readonly onServing: () => void;
}

export interface ThreadTaps {
  /** The names behind the numbers in memory until now. */
  names(): Omit<ThreadHandover, "thread">;
  uninstall(): void;
}

export function installTaps({ config, memory, signals, post, onServing }: TapOptions): ThreadTaps {
  const flags = flagCells(memory.flags);
  const serving = (): void => {
    Atomics.store(flags, threadFlag.serves, 1);
    onServing();
  };
  const registry = createRegistry(post);
  const ledger = ledgerWriter(memory.ledger);
  const hooks = config.clients
    ? installClients({ ledger, registry, now: nowMs, onFirstClient: serving, onUnfit: sayUnfit })
    : null;
  const forwarders = config.forwarders
    ? installNativeForwarders({ marker: memory.marker, post })
    : null;
  const stopListening = watchListening(signals, serving, post);
  return {
    names: () => ({ ...registry.snapshot(), nativeFunctions: forwarders?.names() ?? [] }),
    uninstall() {
      hooks?.uninstall();
      forwarders?.uninstall();
      stopListening();
    },
  };
}

function sayUnfit(library: string): void {
  createStderr().write(
    `loophound: this version of ${library} is not one that is known here: its commands are not recorded\n`,
  );
}

/** A blocked start of the application's own listener is worse than no port of ours. */
const portReleaseWaitMs = 250;

/**
 * Node announces a listen before the port is taken (diagnostics_channel, net.Server `listen`). A
 * process that serves is worth watching at once; and if it wants the port that our HTTP server
 * has, ours moves out of the way first. Returns a function that stops this.
 */
function watchListening(
  signals: SharedArrayBuffer,
  onListen: () => void,
  post: (message: ToWatchdog) => void,
): () => void {
  const cells = signalCells(signals);
  const channel = "tracing:net.server.listen:asyncStart";
  const heard = (message: unknown): void => {
    guard(
      "listen",
      () => {
        onListen();
        const port = Number((message as { options?: { port?: unknown } }).options?.port);
        if (!(port > 0) || port !== Atomics.load(cells, signal.port)) return;
        Atomics.store(cells, signal.releasePort, 1);
        post({ kind: "release-port" });
        Atomics.wait(cells, signal.releasePort, 1, portReleaseWaitMs);
      },
      undefined,
    );
  };
  subscribe(channel, heard);
  return () => void unsubscribe(channel, heard);
}
