// Server-sent events to the live pages: one timer for all of them, none without a reader. Watchdog
// thread. A reader that does not keep up is cut off: what it has not read would be our memory.

import type { LiveUpdate } from "./live-data";

/** Smooth enough for a clock, rare enough for a watchdog that has other duties. */
const updateEveryMs = 500;
/** A page or two of the last ten minutes; whoever has more waiting has stopped reading. */
const waitingBytesMax = 4 << 20;
/** A team in front of its screens. */
const readersMax = 8;

/** The part of http.ServerResponse that is used. */
export interface EventSink {
  readonly writableLength: number;
  write(text: string): unknown;
  destroy(): void;
  on(event: "close", listener: () => void): unknown;
}

export interface EventStream {
  isFull(): boolean;
  /** Ends it at once where there is no room. */
  add(sink: EventSink): void;
  stop(): void;
}

export function createEventStream(openReader: () => () => LiveUpdate): EventStream {
  const readers = new Map<EventSink, () => LiveUpdate>();
  let timer: NodeJS.Timeout | null = null;

  function rest(): void {
    clearInterval(timer ?? undefined);
    timer = null;
  }

  function forget(sink: EventSink): void {
    readers.delete(sink);
    if (readers.size === 0) rest();
  }

  function send(sink: EventSink, read: () => LiveUpdate): void {
    if (sink.writableLength > waitingBytesMax) {
      forget(sink);
      sink.destroy();
    } else sink.write(`data: ${JSON.stringify(read())}\n\n`);
  }

  function sendAll(): void {
    for (const [sink, read] of readers) send(sink, read);
  }

  return {
    isFull: () => readers.size >= readersMax,
    add(sink) {
      if (readers.size >= readersMax) {
        sink.destroy();
        return;
      }
      const read = openReader();
      readers.set(sink, read);
      sink.on("close", () => forget(sink));
      // The browser comes back by itself after this, when the process is there again.
      sink.write("retry: 1000\n\n");
      send(sink, read);
      timer ??= setInterval(sendAll, updateEveryMs).unref();
    },
    stop() {
      rest();
      for (const sink of [...readers.keys()]) sink.destroy();
    },
  };
}
