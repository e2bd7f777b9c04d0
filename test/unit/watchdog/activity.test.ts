import { expect, test } from "@jest/globals";
import { ms } from "../../../agent/model/units";
import { createActivity } from "../../../agent/watchdog/activity";

test("what is about an incident is told apart from what was before", () => {
  let rss = 100;
  const activity = createActivity(() => rss);
  for (let second = 0; second < 40; second++) {
    activity.commandsOpen(2, ms(second * 1000));
    if (second % 10 === 0) activity.connectionOpened("a", ms(second * 1000));
  }
  rss = 300;
  for (let i = 0; i < 50; i++) activity.connectionOpened("b", ms(40_200));
  activity.commandsOpen(900, ms(40_300));
  activity.commandGivenUp(ms(40_400));
  activity.connectionClosed(ms(40_500));
  expect(activity.around(ms(40_100), ms(40_600))).toEqual({
    seconds: 3,
    opened: [{ server: "b", count: 50 }],
    closed: 1,
    givenUp: 1,
    openPeak: 900,
    rssBytes: 300,
    before: { seconds: 39, opened: 4, closed: 0, givenUp: 0, openPeak: 2, rssBytes: 100 },
  });
});

test("a day of it takes no more room than a minute, and servers without end no more than a few", () => {
  const activity = createActivity(() => null);
  for (let second = 0; second < 86_400; second += 1) activity.commandsOpen(1, ms(second * 1000));
  for (let i = 0; i < 1000; i++) activity.connectionOpened(`server ${i}`, ms(86_400_000));
  const { before, opened } = activity.around(ms(86_400_000), ms(86_400_000));
  expect(before.seconds).toBeLessThan(64);
  expect(opened).toHaveLength(17);
  expect(opened[0]).toEqual({ server: "others", count: 984 });
});
