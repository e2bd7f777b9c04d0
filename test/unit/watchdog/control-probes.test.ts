import { expect, test } from "@jest/globals";
import type { Experiment, ProbeTarget } from "../../../agent/model/experiment";
import { ms } from "../../../agent/model/units";
import { createControlProbes } from "../../../agent/watchdog/control-probes";

const target: ProbeTarget = {
  protocol: "redis",
  host: "127.0.0.1",
  port: 6379,
  path: null,
  isTls: false,
};

/** Experiments that begin when they are told to and end when they are told to. */
function laboratory() {
  let now = 0;
  const made: { server: string; lateMs: number; endedMs: number | null }[] = [];
  const probes = createControlProbes((_, server) => {
    const startedMs = ms(now);
    const one: (typeof made)[number] = { server, lateMs: 0, endedMs: null };
    made.push(one);
    return {
      view: (): Experiment => ({
        server,
        startedMs,
        connectedMs: startedMs,
        repliedMs: one.endedMs === null ? null : ms(one.endedMs),
        answer: null,
        endedMs: one.endedMs === null ? null : ms(one.endedMs),
        failure: null,
        lateMs: ms(one.lateMs),
      }),
      keptFrom(lateMs) {
        one.lateMs = Math.max(one.lateMs, lateMs);
      },
      stop() {
        one.endedMs ??= now;
      },
    };
  });
  return {
    made,
    probes,
    suspect(server: string, atMs: number) {
      now = atMs;
      probes.suspect(server, target, ms(atMs));
    },
  };
}

test("a server is asked once a second, and not again while an experiment goes on", () => {
  const { made, suspect } = laboratory();
  for (let at = 0; at < 3000; at += 10) suspect("a", at);
  expect(made).toHaveLength(1);
  (made[0] as { endedMs: number }).endedMs = 3000;
  for (let at = 3000; at < 4500; at += 10) {
    suspect("a", at);
    for (const one of made) one.endedMs ??= at;
  }
  expect(made).toHaveLength(3);
});

test("nobody is asked without suspicion", () => {
  const { made, probes } = laboratory();
  for (let at = 0; at < 5000; at += 10) probes.looked(ms(at), ms(at + 1), ms(at + 10));
  expect(made).toEqual([]);
  expect(probes.startedCount()).toBe(0);
});

test("no more than a few servers are asked at once", () => {
  const { made, suspect } = laboratory();
  for (let i = 0; i < 50; i++) suspect(`server ${i}`, 0);
  expect(made).toHaveLength(8);
});

test("what is kept is bounded, and what is forgotten is stopped", () => {
  const { made, suspect, probes } = laboratory();
  for (let i = 0; i < 1000; i++) {
    suspect(`server ${i}`, i * 2000);
    for (const one of made) one.endedMs ??= i * 2000;
  }
  const all = probes.during(ms(0), ms(9e9));
  expect(all.length).toBeLessThanOrEqual(256);
});

test("a look that began late, or took long, is held against the experiments of that time", () => {
  const { made, suspect, probes } = laboratory();
  probes.looked(ms(100), ms(101), ms(110));
  suspect("a", 120);
  // Due at 110, it began at 150 and took 5 ms.
  probes.looked(ms(150), ms(155), ms(160));
  expect(made[0]?.lateMs).toBe(45);
  (made[0] as { endedMs: number }).endedMs = 156;
  probes.looked(ms(900), ms(901), ms(910));
  expect(made[0]?.lateMs).toBe(45);
});
