// Which descriptors a blocked system call waits on.

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { address } from "../../../agent/model/units";
import { bufferMemory } from "../../../agent/stack/memory";
import { blockedFds } from "../../../agent/stack/syscall-fds";

const low = 0x10000;

function pollfds(...fds: readonly number[]): Buffer {
  const buffer = Buffer.alloc(fds.length * 8);
  for (const [index, fd] of fds.entries()) buffer.writeInt32LE(fd, index * 8);
  return buffer;
}

const blocked = (name: string, args: readonly number[], memory: Buffer = Buffer.alloc(8)) =>
  blockedFds(name, args, bufferMemory(address(low), memory));

describe("blocked descriptors", () => {
  test.each([
    "read",
    "recvfrom",
    "recvmsg",
    "sendto",
    "connect",
    "accept4",
    "pread64",
    "fsync",
    "flock",
    "ioctl",
    "epoll_wait",
    "write",
  ])("%s waits on its first argument", (name) => {
    expect(blocked(name, [7, 1, 2, 3, 4, 5])).toEqual({ ok: true, value: [7] });
  });

  test.each(["nanosleep", "futex", "wait4", "unknown_call"])("%s waits on none", (name) => {
    expect(blocked(name, [7, 1, 2, 3, 4, 5])).toEqual({ ok: true, value: [] });
  });

  test("only the lower half of an argument counts", () => {
    expect(blocked("read", [2 ** 32 + 9])).toEqual({ ok: true, value: [9] });
    expect(blocked("read", [-1])).toMatchObject({ ok: false, why: "malformed" });
  });

  test.each(["poll", "ppoll"])("%s waits on its list, but for entries that it ignores", (name) => {
    const result = blocked(name, [low, 3, 1000], pollfds(5, -1, 12));
    expect(result).toEqual({ ok: true, value: [5, 12] });
  });

  test("poll of nothing is a sleep", () => {
    expect(blocked("poll", [0, 0, 1000])).toEqual({ ok: true, value: [] });
  });

  test("poll of a list that is not there or absurdly long is refused", () => {
    expect(blocked("poll", [0x9000_0000, 2, -1])).toMatchObject({ ok: false, why: "gone" });
    expect(blocked("poll", [low, 1e9, -1])).toMatchObject({ ok: false, why: "limit" });
    expect(blocked("poll", [low, -1, -1])).toMatchObject({ ok: false, why: "limit" });
  });

  test.each(["select", "pselect6"])("%s waits on the members of its three sets", (name) => {
    const sets = Buffer.alloc(48);
    sets[0] = 0b1000;
    sets[16 + 8] = 0b10;
    sets[32] = 0b1000;
    const args = [70, low, low + 16, low + 32, 0, 0];
    expect(blocked(name, args, sets)).toEqual({ ok: true, value: [3, 65] });
  });

  test("select looks no further than its count, and at no absent set", () => {
    const set = Buffer.alloc(8, 0xff);
    expect(blocked("select", [3, low, 0, 0, 0], set)).toEqual({ ok: true, value: [0, 1, 2] });
  });

  test("whatever the arguments are, there is an answer", () => {
    const name = fc.constantFrom("poll", "ppoll", "select", "pselect6", "read", "sendfile");
    const argument = fc.oneof(fc.double(), fc.integer(), fc.constant(low));
    fc.assert(
      fc.property(name, fc.array(argument, { maxLength: 6 }), (call, args) => {
        expect(typeof blocked(call, args).ok).toBe("boolean");
      }),
    );
  });
});
