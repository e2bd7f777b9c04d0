import { describe, expect, test } from "@jest/globals";
import { ms } from "../../../../agent/model/units";
import { createTraffic, type SettledCommand } from "../../../../exporters/live/traffic";

const command = (
  connectionId: number,
  calledMs: number,
  sentMs: number | null,
  repliedMs: number | null,
): SettledCommand => ({
  commandId: 1,
  connectionId,
  calledMs: ms(calledMs),
  sentMs: sentMs === null ? null : ms(sentMs),
  repliedMs: repliedMs === null ? null : ms(repliedMs),
});

const serverOf = ({ connectionId }: SettledCommand): string | null =>
  connectionId === 0 ? null : `server-${connectionId}`;

describe("traffic by server and second", () => {
  test("adds up the parts of each command in the second in which it settled", () => {
    const traffic = createTraffic();
    const settled = traffic.meter(serverOf);
    settled(command(1, 1000, 1002, 1010), 0);
    settled(command(1, 1100, 1100, 1120), 15);
    settled(command(1, 1990, 1990, 2001), 0);
    expect(traffic.since(0)).toEqual([
      {
        server: "server-1",
        seconds: [
          { second: 1, count: 2, queueMs: 2, inFlightMs: 13, loopMs: 15, longestMs: 20 },
          { second: 2, count: 1, queueMs: 0, inFlightMs: 11, loopMs: 0, longestMs: 11 },
        ],
      },
    ]);
    expect(traffic.since(2)[0]?.seconds).toHaveLength(1);
  });

  test("the parts never exceed the latency, however long the loop was blocked", () => {
    const traffic = createTraffic();
    traffic.meter(serverOf)(command(1, 1000, 1050, 1100), 400);
    expect(traffic.since(0)[0]?.seconds[0]).toMatchObject({
      queueMs: 0,
      inFlightMs: 0,
      loopMs: 100,
    });
  });

  test("a command that was never sent waited in the client", () => {
    const traffic = createTraffic();
    traffic.meter(serverOf)(command(1, 1000, null, 1100), 0);
    expect(traffic.since(0)[0]?.seconds[0]).toMatchObject({ queueMs: 100, inFlightMs: 0 });
  });

  test("keeps ten minutes and lets older seconds go", () => {
    const traffic = createTraffic();
    const settled = traffic.meter(serverOf);
    for (let second = 1; second <= 700; second++) {
      settled(command(1, second * 1000, second * 1000, second * 1000 + 1), 0);
    }
    const seconds = traffic.since(0)[0]?.seconds ?? [];
    expect(seconds).toHaveLength(600);
    expect([seconds[0]?.second, seconds.at(-1)?.second]).toEqual([101, 700]);
  });

  test("keeps sixteen servers, and leaves out commands whose server is not known or that have no reply", () => {
    const traffic = createTraffic();
    const settled = traffic.meter(serverOf);
    for (let connection = 1; connection <= 20; connection++) {
      settled(command(connection, 1000, 1000, 1001), 0);
    }
    settled(command(0, 1000, 1000, 1001), 0);
    settled(command(1, 1000, 1000, null), 0);
    expect(traffic.since(0)).toHaveLength(16);
    expect(traffic.since(0)[0]?.seconds[0]?.count).toBe(1);
  });
});
