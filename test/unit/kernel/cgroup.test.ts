import { describe, expect, test } from "@jest/globals";
import {
  type CpuThrottling,
  openCpuThrottling,
  parseCpuStat,
  throttledBetween,
} from "../../../agent/kernel/cgroup-cpu";
import { findCgroup, locateCgroup } from "../../../agent/kernel/cgroup-path";
import { parseMemoryEvents, readMemoryEvents } from "../../../agent/kernel/memory-events";
import { parsePressure, readPressure } from "../../../agent/kernel/pressure";
import { createProcRoot, type ProcRoot } from "../../../agent/kernel/proc-root";
import { ns } from "../../../agent/model/units";
import { fixturePath, must, recorded, whyOf } from "./fixture";

const limited = (version: "v1" | "v2"): ProcRoot => {
  const folder = fixturePath("cgroup", `${version}-limited`);
  return createProcRoot(`${folder}/proc`, `${folder}/root`);
};

describe("the process's control group", () => {
  test("is followed up to the mount in version 2", () => {
    expect(must(findCgroup(limited("v2"), "cpu"))).toEqual({
      version: 2,
      directory: "/sys/fs/cgroup/kube.slice/pod.slice",
      chain: ["/sys/fs/cgroup/kube.slice/pod.slice", "/sys/fs/cgroup/kube.slice", "/sys/fs/cgroup"],
    });
  });

  test("is the mount itself where a container sees its own group only", () => {
    expect(must(findCgroup(limited("v1"), "cpu"))).toEqual({
      version: 1,
      directory: "/sys/fs/cgroup/cpu,cpuacct",
      chain: ["/sys/fs/cgroup/cpu,cpuacct"],
    });
  });

  test("is sought in version 1 where both are mounted and it has the controller", () => {
    const groups = "3:cpuset:/\n1:cpu:/app\n0::/app\n";
    const mounts =
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
      "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n" +
      "41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw\n";
    expect(must(locateCgroup(groups, mounts, "cpu")).directory).toBe("/sys/fs/cgroup/cpu/app");
    expect(must(locateCgroup(groups, mounts, "memory"))).toMatchObject({
      version: 2,
      directory: "/sys/fs/cgroup/uni fied/app",
    });
  });

  test("is not guessed where it lies outside of what is mounted", () => {
    const mounts = "30 24 0:26 /pod /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    expect(whyOf(locateCgroup("0::/podium\n", mounts, "cpu"))).toBe("unsupported");
    expect(whyOf(locateCgroup("0::/pod/../x\n", mounts, "cpu"))).toBe("unsupported");
    expect(must(locateCgroup("0::/pod\n", mounts, "cpu")).directory).toBe("/sys/fs/cgroup");
    expect(whyOf(locateCgroup(`0::/pod${"/x".repeat(20)}\n`, mounts, "cpu"))).toBe("limit");
  });

  test("is gone where nothing is mounted", () => {
    expect(whyOf(locateCgroup("0::/\n", "", "cpu"))).toBe("gone");
    expect(whyOf(locateCgroup("", "30 24 0:26 / /c rw - cgroup2 c rw\n", "cpu"))).toBe("gone");
  });
});

describe("CPU throttling", () => {
  test("is read from every group in sight that counts it", () => {
    const reader = must(openCpuThrottling(limited("v2")));
    expect(must(reader.read())).toEqual([
      { periods: 40, throttledPeriods: 4, throttledNs: 120e6 },
      { periods: 40, throttledPeriods: 9, throttledNs: 450e6 },
    ]);
    reader.close();
    expect(whyOf(reader.read())).toBe("gone");
  });

  test("is in nanoseconds in version 1 as well", () => {
    const reader = must(openCpuThrottling(limited("v1")));
    expect(must(reader.read())).toEqual([{ periods: 50, throttledPeriods: 5, throttledNs: 250e6 }]);
    reader.close();
  });

  test("is malformed without its counters", () => {
    expect(whyOf(parseCpuStat("usage_usec 5\nuser_usec 3\n"))).toBe("malformed");
    expect(whyOf(parseCpuStat(""))).toBe("malformed");
  });

  test("between readings is that of the group that was throttled most", () => {
    const at = (...levels: number[]): CpuThrottling[] =>
      levels.map((value) => ({ periods: 0, throttledPeriods: 0, throttledNs: ns(value) }));
    const [first, second, third] = [at(10, 100), at(15, 130), at(75, 140)];
    expect(throttledBetween(first, second)).toBe(30);
    expect(throttledBetween(second, third)).toBe(60);
    expect(throttledBetween(third, third)).toBe(0);
    expect(throttledBetween([], third)).toBe(0);
    expect(throttledBetween([], [])).toBe(0);
  });
});

describe("memory events", () => {
  test("are read in version 2", () => {
    expect(must(readMemoryEvents(limited("v2")))).toEqual({ high: 3, max: 2, oom: 1, oomKill: 1 });
  });

  test("are what version 1 has of them", () => {
    expect(must(readMemoryEvents(limited("v1")))).toEqual({
      high: null,
      max: 12,
      oom: null,
      oomKill: 2,
    });
  });

  test("are malformed without the count that matters", () => {
    expect(whyOf(parseMemoryEvents("low 0\n"))).toBe("malformed");
    expect(must(parseMemoryEvents("max 0\n"))).toEqual({
      high: null,
      max: 0,
      oom: null,
      oomKill: null,
    });
  });
});

describe("pressure", () => {
  test("is given as cumulative time", () => {
    expect(must(readPressure(limited("v2"), "cpu"))).toEqual({ someNs: 12851929000, fullNs: 0 });
  });

  test("has no full line for cpu on older kernels", () => {
    const text = "some avg10=0.00 avg60=0.40 avg300=0.95 total=7\n";
    expect(must(parsePressure(text))).toEqual({ someNs: 7000, fullNs: null });
  });

  test("is gone where the kernel does not measure it", () => {
    expect(whyOf(readPressure(recorded("running"), "io"))).toBe("gone");
    expect(whyOf(parsePressure(""))).toBe("malformed");
  });
});
