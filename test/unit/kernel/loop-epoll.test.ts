import { describe, expect, test } from "@jest/globals";
import { epollFdOf, listEpollFds, loopWait } from "../../../agent/kernel/loop-epoll";
import { parseTaskSyscall } from "../../../agent/kernel/task-syscall";
import type { SyscallState } from "../../../agent/model/snapshot";
import { must, recorded, TID } from "./fixture";

const stateOf = (name: string): SyscallState =>
  must(parseTaskSyscall(must(recorded(name).readText(`self/task/${TID}/syscall`))));

const call = (number: number, fd: number): SyscallState =>
  must(parseTaskSyscall(`${number} 0x${fd.toString(16)} 0x0 0x0 0x0 0x0 0x0 0x1 0x2`));

describe("a recorded thread", () => {
  const own = new Set(must(listEpollFds(recorded("idle-in-epoll"))));

  test("has its loop's epoll among those of the process", () => {
    expect([...own].sort((a, b) => a - b)).toEqual([3, 11, 16]);
  });

  test.each([
    ["idle-in-epoll", "idle"],
    ["exec-sync", "foreign-epoll"],
    ["blocked-in-read", "elsewhere"],
    ["running", "elsewhere"],
    ["hostile-comm", "elsewhere"],
  ])("%s is %s", (name, wait) => {
    expect(loopWait(stateOf(name), "x64", own)).toBe(wait);
  });

  test("in an epoll is undetermined where the loop's is not known", () => {
    expect(loopWait(stateOf("idle-in-epoll"), "x64", new Set())).toBe("undetermined");
    expect(loopWait(stateOf("running"), "x64", new Set())).toBe("elsewhere");
  });
});

describe("waiting in epoll", () => {
  test.each([
    ["x64", 232],
    ["x64", 281],
    ["x64", 441],
    ["arm64", 22],
    ["arm64", 441],
  ])("on %s is call %d", (arch, number) => {
    expect(epollFdOf(call(number, 9), arch)).toBe(9);
  });

  test.each([
    ["x64", 22],
    ["x64", 233],
    ["arm64", 281],
    ["s390x", 281],
  ])("on %s is not call %d", (arch, number) => {
    expect(epollFdOf(call(number, 9), arch)).toBeNull();
  });
});
