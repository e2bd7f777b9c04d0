import { expect, test } from "@jest/globals";
import { createLoopEpollLearner } from "../../../agent/watchdog/loop-epoll-learner";

const see = (learner: ReturnType<typeof createLoopEpollLearner>, fd: number, times: number) => {
  for (let i = 0; i < times; i++) learner.saw(fd, true);
};

test("believes a descriptor after eight sightings with a fresh beat", () => {
  const learner = createLoopEpollLearner();
  see(learner, 14, 7);
  expect(learner.fd()).toBeNull();
  see(learner, 14, 1);
  expect(learner.fd()).toBe(14);
});

test("learns nothing from sleep while beats are late, as in execSync", () => {
  const learner = createLoopEpollLearner();
  for (let i = 0; i < 100; i++) learner.saw(22, false);
  expect(learner.fd()).toBeNull();
});

test("does not decide while two descriptors are seen nearly as often", () => {
  const learner = createLoopEpollLearner();
  for (let i = 0; i < 20; i++) {
    learner.saw(14, true);
    learner.saw(22, true);
  }
  expect(learner.fd()).toBeNull();
  see(learner, 14, 50);
  expect(learner.fd()).toBe(14);
});

test("keeps what it has learned", () => {
  const learner = createLoopEpollLearner();
  see(learner, 14, 8);
  see(learner, 22, 100);
  expect(learner.fd()).toBe(14);
});
