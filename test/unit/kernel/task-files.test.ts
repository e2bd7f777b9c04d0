import { describe, expect, test } from "@jest/globals";
import { parseTaskSchedstat } from "../../../agent/kernel/task-schedstat";
import { parseTaskStat } from "../../../agent/kernel/task-stat";
import { parseTaskStatus } from "../../../agent/kernel/task-status";
import { argAddress, argInt32, parseTaskSyscall } from "../../../agent/kernel/task-syscall";
import { parseTaskWchan } from "../../../agent/kernel/task-wchan";
import { must, recorded, TID, whyOf } from "./fixture";

const text = (name: string, file: string): string =>
  must(recorded(name).readText(`self/task/${TID}/${file}`));

describe("stat", () => {
  test("is read behind a name that imitates it", () => {
    expect(must(parseTaskStat(text("hostile-comm", "stat")))).toEqual({
      state: "S",
      minorFaults: 11,
      majorFaults: 13,
      userTicks: 15,
      systemTicks: 16,
      threadCount: 7,
      startedTicks: 6000,
      processor: 3,
      blockIoTicks: 42,
    });
  });

  test.each([
    ["blocked-in-read", "S"],
    ["running", "R"],
    ["stopped", "T"],
  ])("%s is in state %s", (name, state) => {
    expect(must(parseTaskStat(text(name, "stat"))).state).toBe(state);
  });

  test("of a running thread has used more CPU than that of an idle one", () => {
    const used = (name: string): number => must(parseTaskStat(text(name, "stat"))).userTicks;
    expect(used("running")).toBeGreaterThan(used("idle-in-epoll"));
  });

  test.each([
    ["empty", ""],
    ["without a name", "4242 S 1 2 3"],
    ["in an unknown state", text("hostile-comm", "stat").replace(") S", ") Q")],
    ["with a word for a number", text("hostile-comm", "stat").replace(" 15 16 ", " xx 16 ")],
    ["cut short", text("truncated", "stat")],
  ])("is malformed: %s", (_, malformed) => {
    expect(whyOf(parseTaskStat(malformed))).toBe("malformed");
  });
});

describe("status", () => {
  test("gives context switches and the tracer", () => {
    expect(must(parseTaskStatus(text("hostile-comm", "status")))).toEqual({
      state: "S",
      tracerPid: 99,
      voluntarySwitches: 7,
      involuntarySwitches: 8,
    });
    expect(must(parseTaskStatus(text("stopped", "status")))).toMatchObject({
      state: "T",
      tracerPid: 0,
    });
  });

  test.each(["empty", "truncated"])("is malformed: %s", (name) => {
    expect(whyOf(parseTaskStatus(text(name, "status")))).toBe("malformed");
  });
});

describe("schedstat", () => {
  test("gives time on CPU, time waiting for one, and timeslices", () => {
    expect(must(parseTaskSchedstat("25967508 10020216 69\n"))).toEqual({
      onCpuNs: 25967508,
      runQueueWaitNs: 10020216,
      timeslices: 69,
    });
  });

  test("may count further than a float64 is exact", () => {
    const { onCpuNs } = must(parseTaskSchedstat(text("hostile-comm", "schedstat")));
    expect(onCpuNs).toBe(2 ** 64);
  });

  test.each([["empty"], ["truncated"]])("is malformed: %s", (name) => {
    expect(whyOf(parseTaskSchedstat(text(name, "schedstat")))).toBe("malformed");
  });
});

describe("syscall", () => {
  test("says running", () => {
    expect(must(parseTaskSyscall(text("running", "syscall")))).toEqual({ kind: "running" });
  });

  test("says asleep outside of a call", () => {
    expect(must(parseTaskSyscall(text("hostile-comm", "syscall")))).toEqual({
      kind: "outside",
      sp: 0x7ffd00000000,
      pc: 0x7f0000000010,
    });
  });

  test("gives the call, its arguments and registers", () => {
    const state = must(parseTaskSyscall(text("blocked-in-read", "syscall")));
    if (state.kind !== "blocked") throw new Error(state.kind);
    expect(state).toMatchObject({ number: 0, sp: 0x7ffd98efdb90, pc: 0x7f3e96b162ec });
    expect(argInt32(state.args, 0)).toBe(22);
    expect(argAddress(state.args, 1)).toBe(0x23206a60);
    expect(argInt32(state.args, 2)).toBe(100);
    expect(state.args[5]).toBe(-1);
  });

  test.each([
    ["0xffffffff", -1],
    ["0xffffffffffffffff", -1],
    ["0xffffffffffffff9c", -100],
    ["0x3e8", 1000],
    ["0x7fffffff", 0x7fffffff],
    ["0x0", 0],
  ])("reads %s as the int %d", (word, int) => {
    const state = must(parseTaskSyscall(`281 ${word} 0x0 0x0 0x0 0x0 0x0 0x1 0x2\n`));
    if (state.kind !== "blocked") throw new Error(state.kind);
    expect(argInt32(state.args, 0)).toBe(int);
  });

  test.each([
    ["empty", ""],
    ["cut short", text("truncated", "syscall")],
    ["too long a word", "0 0x11111111111111111 0x0 0x0 0x0 0x0 0x0 0x0 0x0"],
    ["one argument too many", "0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0"],
    ["another number below zero", "-2 0x0 0x0"],
  ])("is malformed: %s", (_, malformed) => {
    expect(whyOf(parseTaskSyscall(malformed))).toBe("malformed");
  });
});

describe("wchan", () => {
  test("names the kernel function a thread sleeps in", () => {
    expect(must(parseTaskWchan(text("blocked-in-read", "wchan")))).toBe("anon_pipe_read");
    expect(must(parseTaskWchan("poll_schedule_timeout.constprop.0"))).toBe(
      "poll_schedule_timeout.constprop.0",
    );
  });

  test("names none where there is none or the kernel does not say", () => {
    expect(must(parseTaskWchan("0"))).toBeNull();
    expect(must(parseTaskWchan(""))).toBeNull();
  });

  test("is malformed where it is no symbol", () => {
    expect(whyOf(parseTaskWchan("no such symbol"))).toBe("malformed");
  });
});
