import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { namesOf, syscallName } from "../../../agent/kernel/syscall-names";

describe("the name of a system call", () => {
  test.each([
    ["x64", 0, "read"],
    ["x64", 7, "poll"],
    ["x64", 45, "recvfrom"],
    ["x64", 202, "futex"],
    ["x64", 247, "waitid"],
    ["x64", 281, "epoll_pwait"],
    ["x64", 334, "rseq"],
    ["arm64", 22, "epoll_pwait"],
    ["arm64", 63, "read"],
    ["arm64", 73, "ppoll"],
    ["arm64", 79, "newfstatat"],
    ["arm64", 98, "futex"],
    ["arm64", 207, "recvfrom"],
    ["arm64", 260, "wait4"],
    ["arm64", 291, "statx"],
    ["x64", 424, "pidfd_send_signal"],
    ["arm64", 462, "mseal"],
    ["x64", 469, "file_setattr"],
  ])("%s %d is %s", (arch, number, name) => {
    expect(syscallName(arch, number)).toBe(name);
  });

  test.each([
    ["x64", 999],
    ["x64", 400],
    ["x64", -1],
    ["arm64", 244],
    ["ppc64", 0],
  ])("%s %d stays a number", (arch, number) => {
    expect(syscallName(arch, number)).toBe(`syscall ${number}`);
  });

  test("stands for one number only", () => {
    for (const arch of ["x64", "arm64"]) {
      const names = (namesOf(arch) ?? []).filter((name) => name !== undefined);
      expect(names.length).toBeGreaterThan(300);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

// The kernel's own headers, where a C compiler's are installed. Those may be older or newer than the
// table: what both know must agree.
const headers: readonly (readonly [string, string])[] = [
  ["x64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"],
  ["arm64", "/usr/include/asm-generic/unistd.h"],
];

const NOT_ARM64: readonly string[] = ["fstatat", "sync_file_range2", "syscalls"];

describe("the table agrees with the installed kernel headers", () => {
  const installed = headers.filter(([, path]) => existsSync(path));
  const define = /^#define __NR(?:3264)?_(\w+)\s+(\d+)\s*$/gm;

  (installed.length === 0 ? test.skip : test)("in every number that both have", () => {
    for (const [arch, path] of installed) {
      const table = namesOf(arch) ?? [];
      const pairs = [...readFileSync(path, "latin1").matchAll(define)]
        .map(([, name = "", number]) => [Number(number), name] as const)
        // The generic header also serves machines that chose otherwise, and ends with a count.
        .filter(([number, name]) => table[number] !== undefined && !NOT_ARM64.includes(name));
      expect(pairs.length).toBeGreaterThan(290);
      expect(pairs.filter(([number, name]) => table[number] !== name)).toEqual([]);
    }
  });
});
