import { expect, test } from "@jest/globals";
import { ms } from "../../../agent/model/units";
import { createCommandHistory } from "../../../agent/watchdog/command-history";

const server = "127.0.0.1:6379";

function fed(command: string, count: number, timeMs: number) {
  const history = createCommandHistory();
  for (let i = 0; i < count; i++) history.of(server, command)?.(ms(timeMs));
  return history;
}

test("knows nothing of another server or command", () => {
  const history = fed("HGETALL", 1000, 1);
  expect(history.judge(server, "HGETALL", ms(100))).toMatchObject({ kind: "outside", p99Ms: 1 });
  expect(history.judge("127.0.0.1:6380", "HGETALL", ms(100)).kind).toBe("too-few");
  expect(history.judge(server, "SMEMBERS", ms(100))).toEqual({ kind: "too-few", samples: 0 });
});

test("what has become usual is usual, after two generations", () => {
  const history = fed("HGETALL", 2000, 1);
  for (let i = 0; i < 60; i++) history.of(server, "HGETALL")?.(ms(300));
  expect(history.judge(server, "HGETALL", ms(300)).kind).toBe("usual");
  for (let i = 0; i < 4000; i++) history.of(server, "HGETALL")?.(ms(2));
  expect(history.judge(server, "HGETALL", ms(300))).toMatchObject({ kind: "outside", p99Ms: 2 });
});

test("remembers no more than two generations", () => {
  const finding = fed("HGETALL", 100_000, 1).judge(server, "HGETALL", ms(300));
  expect(finding).toMatchObject({ kind: "outside", samples: 2000 });
});

test("the number of histories is bounded, and who finds no room is never judged", () => {
  const history = createCommandHistory();
  for (let i = 0; i < 600; i++) {
    for (let n = 0; n < 200; n++) history.of(`server-${i}`, "HGETALL")?.(ms(1));
  }
  expect(history.judge("server-511", "HGETALL", ms(300)).kind).toBe("outside");
  expect(history.judge("server-512", "HGETALL", ms(300)).kind).toBe("too-few");
});

test("beyond the last bound nothing can be called outside", () => {
  expect(fed("DUMP", 1000, 1e6).judge(server, "DUMP", ms(1e9)).kind).toBe("usual");
});
