import { expect, jest, test } from "@jest/globals";
import { type Ms, ms } from "../../../agent/model/units";
import { startWatchLoop } from "../../../agent/watchdog/watch-loop";

/** Runs looks by hand: time and own activity are what the test says. */
function scripted(sleepMs: number) {
  const clock = { nowMs: 0, activeMs: 0 };
  const lates: number[] = [];
  const loop = startWatchLoop({
    nowMs: () => ms(clock.nowMs),
    activeMs: () => ms(clock.activeMs),
    look: (_now: Ms, lateMs: Ms) => {
      lates.push(lateMs);
      return ms(sleepMs);
    },
  });
  return { clock, lates, loop };
}

test("being woken late counts, what it did itself meanwhile does not", () => {
  const { clock, lates, loop } = scripted(10);
  clock.nowMs = 110;
  loop.wake();
  clock.nowMs = 240;
  clock.activeMs = 80;
  loop.wake();
  loop.stop();
  expect(lates).toEqual([0, 100, 40]);
});

test("being woken early is not being late", () => {
  const { clock, lates, loop } = scripted(100);
  clock.nowMs = 30;
  loop.wake();
  loop.stop();
  expect(lates).toEqual([0, 0]);
});

test("a wake does not leave two timers behind", async () => {
  const look = jest.fn(() => ms(5));
  const loop = startWatchLoop({ nowMs: () => ms(performance.now()), look });
  for (let i = 0; i < 10; i++) loop.wake();
  loop.stop();
  const looks = look.mock.calls.length;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(look.mock.calls.length).toBe(looks);
});
