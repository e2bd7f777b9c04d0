import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { createEventStream, type EventSink } from "../../../../exporters/live/event-stream";
import type { LiveUpdate } from "../../../../exporters/live/live-data";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function reader() {
  let close = (): void => undefined;
  const sink = {
    writableLength: 0,
    texts: [] as string[],
    write(text: string): void {
      sink.texts.push(text);
    },
    destroy: () => close(),
    on(_event: "close", listener: () => void): void {
      close = listener;
    },
  } satisfies EventSink & { texts: string[] };
  return sink;
}

const updates = () => {
  let nowEpochMs = 0;
  return () => ({ nowEpochMs: ++nowEpochMs }) as LiveUpdate;
};

describe("the event stream", () => {
  test("sends at once, then twice a second, to each reader its own", () => {
    const stream = createEventStream(updates);
    const [first, second] = [reader(), reader()];
    stream.add(first);
    jest.advanceTimersByTime(500);
    stream.add(second);
    jest.advanceTimersByTime(500);
    expect(first.texts.slice(1)).toEqual([1, 2, 3].map((n) => `data: {"nowEpochMs":${n}}\n\n`));
    expect(second.texts.slice(1)).toEqual([1, 2].map((n) => `data: {"nowEpochMs":${n}}\n\n`));
  });

  test("rests when the last reader has gone", () => {
    const stream = createEventStream(updates);
    const one = reader();
    stream.add(one);
    expect(jest.getTimerCount()).toBe(1);
    one.destroy();
    expect(jest.getTimerCount()).toBe(0);
  });

  test("cuts off a reader that does not read", () => {
    const stream = createEventStream(updates);
    const slow = { ...reader(), writableLength: 5 << 20 };
    let isDestroyed = false;
    slow.destroy = () => {
      isDestroyed = true;
    };
    stream.add(slow);
    jest.advanceTimersByTime(500);
    expect(isDestroyed).toBe(true);
  });

  test("has room for eight, and ends all of them when it is stopped", () => {
    const stream = createEventStream(updates);
    for (let i = 0; i < 8; i++) {
      expect(stream.isFull()).toBe(false);
      stream.add(reader());
    }
    expect(stream.isFull()).toBe(true);
    stream.stop();
    expect([stream.isFull(), jest.getTimerCount()]).toEqual([false, 0]);
  });
});
