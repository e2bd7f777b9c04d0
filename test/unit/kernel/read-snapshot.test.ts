import { Worker } from "node:worker_threads";
import { describe, expect, test } from "@jest/globals";
import { createProcRoot } from "../../../agent/kernel/proc-root";
import {
  closeTaskReaders,
  openTaskReaders,
  readTaskSnapshot,
  readTaskSyscall,
  type TaskReaders,
} from "../../../agent/kernel/read-snapshot";
import { syscallName } from "../../../agent/kernel/syscall-names";
import type { TaskSnapshot } from "../../../agent/model/snapshot";
import { ns } from "../../../agent/model/units";
import { must, recorded, TID, whyOf } from "./fixture";

function snapshotOf(name: string): TaskSnapshot {
  const readers = must(openTaskReaders(recorded(name), TID));
  const snapshot = readTaskSnapshot(readers, ns(5));
  closeTaskReaders(readers);
  return snapshot;
}

describe("a snapshot", () => {
  test("of a thread blocked in read has every fact", () => {
    const snapshot = snapshotOf("blocked-in-read");
    expect(snapshot).toMatchObject({ tid: TID, takenAtNs: 5 });
    expect(must(snapshot.syscall)).toMatchObject({ kind: "blocked", number: 0 });
    expect(must(snapshot.stat).state).toBe("S");
    expect(must(snapshot.status).tracerPid).toBe(0);
    expect(must(snapshot.schedstat).timeslices).toBeGreaterThan(0);
    expect(must(snapshot.wchan)).toBe("anon_pipe_read");
  });

  test("of a stopped thread still shows the call it was stopped in", () => {
    const snapshot = snapshotOf("stopped");
    expect(must(snapshot.stat).state).toBe("T");
    expect(must(snapshot.wchan)).toBe("do_signal_stop");
    expect(must(snapshot.syscall)).toMatchObject({ kind: "blocked", number: 281 });
  });

  test("fails field by field", () => {
    const snapshot = snapshotOf("truncated");
    expect(whyOf(snapshot.stat)).toBe("malformed");
    expect(whyOf(snapshot.syscall)).toBe("malformed");
    expect(must(snapshot.wchan)).toBe("do_epoll_wait");
    const empty = snapshotOf("empty");
    expect(whyOf(empty.schedstat)).toBe("malformed");
    expect(must(empty.wchan)).toBeNull();
  });

  test("cannot be opened for a thread that is not there", () => {
    expect(whyOf(openTaskReaders(recorded("running"), 1))).toBe("gone");
  });

  test("has no facts after it was closed", () => {
    const readers = must(openTaskReaders(recorded("running"), TID));
    closeTaskReaders(readers);
    closeTaskReaders(readers);
    expect(whyOf(readTaskSyscall(readers))).toBe("gone");
  });
});

const onLinux = process.platform === "linux" ? describe : describe.skip;

onLinux("a live thread", () => {
  const blockedWorker = `
    const { workerData, parentPort } = require("node:worker_threads");
    parentPort.postMessage(require("node:fs").readlinkSync("/proc/thread-self"));
    Atomics.wait(workerData, 0, 0);`;

  test("is seen asleep in futex, moving on, and gone", async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(blockedWorker, { eval: true, workerData: gate });
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    const link = await new Promise<string>((resolve) => worker.once("message", resolve));
    const tid = Number(link.split("/").at(-1));
    const readers = must(openTaskReaders(createProcRoot(), tid));
    try {
      await untilAsleepIn(readers, "futex");
      const before = must(readTaskSnapshot(readers, ns(0)).status).voluntarySwitches;
      expect(before).toBeGreaterThan(0);
      gate[0] = 1;
      Atomics.notify(gate, 0);
      await exited;
      const after = readTaskSnapshot(readers, ns(0));
      expect(
        [after.stat, after.status, after.schedstat, after.syscall, after.wchan].map(whyOf),
      ).toEqual(Array.from({ length: 5 }, () => "gone"));
    } finally {
      closeTaskReaders(readers);
    }
  });
});

/** Jest's own time limit is the safety rail. */
async function untilAsleepIn(readers: TaskReaders, name: string): Promise<void> {
  for (;;) {
    const { syscall, stat } = readTaskSnapshot(readers, ns(0));
    const call = must(syscall);
    const isThere = call.kind === "blocked" && syscallName(process.arch, call.number) === name;
    if (isThere && must(stat).state === "S") return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
