// Hears when a thread of the application listens: it serves from then on, and if it wants the port
// that our HTTP server has, ours moves out of the way first. Application threads.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { guard } from "./base/guard";
import { signal, signalCells } from "./base/signals";

/** A blocked start of the application's own listener is worse than no port of ours. */
const portReleaseWaitMs = 250;

export interface ListeningOptions {
  /** Of the process. */
  readonly signals: SharedArrayBuffer;
  readonly onListen: () => void;
  /** Asks the watchdog to give the port up. */
  readonly askForPort: () => void;
}

/**
 * Node announces a listen before the port is taken (diagnostics_channel, net.Server `listen`).
 * Returns a function that stops this.
 */
export function watchListening(options: ListeningOptions): () => void {
  const cells = signalCells(options.signals);
  const channel = "tracing:net.server.listen:asyncStart";
  const heard = (message: unknown): void => {
    guard(
      "listen",
      () => {
        options.onListen();
        const port = Number((message as { options?: { port?: unknown } }).options?.port);
        if (!(port > 0) || port !== Atomics.load(cells, signal.port)) return;
        Atomics.store(cells, signal.releasePort, 1);
        options.askForPort();
        Atomics.wait(cells, signal.releasePort, 1, portReleaseWaitMs);
      },
      undefined,
    );
  };
  subscribe(channel, heard);
  return () => void unsubscribe(channel, heard);
}
