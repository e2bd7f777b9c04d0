// How the application's worker threads and the watchdog talk without the main thread, which may be
// blocked: a BroadcastChannel delivers straight from thread to thread, within one process
// (https://github.com/nodejs/node/blob/v20.20.0/src/node_messaging.cc, SiblingGroup::Dispatch).

import { BroadcastChannel } from "node:worker_threads";
import type { FromWatchdog, FromWorker } from "./model/wire";

const toWatchdog = "loophound:watchdog";
const toWorker = (threadId: number): string => `loophound:worker:${threadId}`;

export interface Channel<Message> {
  post(message: Message): void;
  close(): void;
}

/** Watchdog's end: hears all workers. */
export const hearWorkers = (listener: (message: FromWorker) => void): Channel<never> =>
  open(toWatchdog, listener);

/** Watchdog's end: to one worker. */
export const openToWorker = (threadId: number): Channel<FromWatchdog> =>
  open(toWorker(threadId), null);

/** Captured before the application can replace it (fake timers do). */
const soon = queueMicrotask;

/**
 * A worker's end. Open only while its thread runs one piece of code: what one worker posts would reach
 * all others that have the channel open, and have each of them load undici for a MessageEvent, which is
 * 2.3 MB and milliseconds (https://github.com/nodejs/node/blob/v24.0.0/lib/internal/per_context/messageport.js).
 */
export function openToWatchdog(): Channel<FromWorker> {
  let channel: Channel<FromWorker> | null = null;
  let isClosed = false;
  const close = (): void => {
    channel?.close();
    channel = null;
  };
  return {
    post(message) {
      if (isClosed) return;
      if (channel === null) {
        channel = open(toWatchdog, null);
        soon(close);
      }
      channel.post(message);
    },
    close() {
      isClosed = true;
      close();
    },
  };
}

/** A worker's end: hears what is meant for it. */
export const hearWatchdog = (
  threadId: number,
  listener: (message: FromWatchdog) => void,
): Channel<never> => open(toWorker(threadId), listener);

/** Never keeps its thread alive. */
function open<In, Out>(name: string, listener: ((message: In) => void) | null): Channel<Out> {
  const channel = new BroadcastChannel(name);
  if (listener !== null) channel.onmessage = (event) => listener((event as { data: In }).data);
  channel.unref();
  return {
    post: (message) => void channel.postMessage(message),
    close: () => channel.close(),
  };
}
