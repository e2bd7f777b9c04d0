import { describe, expect, test } from "@jest/globals";
import {
  isDeletedFile,
  type MapRegion,
  originalPath,
  parseMaps,
  readMaps,
} from "../../../agent/kernel/maps";
import { address } from "../../../agent/model/units";
import { must, recorded, whyOf } from "./fixture";

const only = (line: string): MapRegion => {
  const region = must(parseMaps(`${line}\n`)).regions[0];
  if (region === undefined) throw new Error("no region");
  return region;
};

describe("a line of maps", () => {
  test("gives bounds, rights, offset, inode and path", () => {
    const line =
      "7f42f7000000-7f42f7026000 r-xp 0001f000 08:01 131 /usr/lib/x86_64-linux-gnu/libc.so.6";
    expect(only(line)).toEqual({
      low: 0x7f42f7000000,
      high: 0x7f42f7026000,
      readable: true,
      executable: true,
      offset: 0x1f000,
      inode: 131,
      path: "/usr/lib/x86_64-linux-gnu/libc.so.6",
    });
  });

  test("of anonymous memory has no path", () => {
    const region = only("00400000-00500000 ---p 00000000 00:00 0 ");
    expect(region).toMatchObject({ path: "", inode: 0, readable: false, executable: false });
  });

  test("keeps spaces in a path and decodes newlines", () => {
    const line =
      "00400000-00500000 rw-s 00000000 00:1f 9                    /srv/my app/a\\012b.node";
    expect(only(line).path).toBe("/srv/my app/a\nb.node");
  });

  test("tells an unlinked file and its former path", () => {
    const region = only("00400000-00500000 r-xp 00000000 08:01 9 /srv/x.node (deleted)");
    expect(isDeletedFile(region)).toBe(true);
    expect(originalPath(region)).toBe("/srv/x.node");
    const other = only("00400000-00500000 r-xp 00000000 08:01 9 /srv/x.node");
    expect(isDeletedFile(other)).toBe(false);
    expect(originalPath(other)).toBe("/srv/x.node");
  });

  test("may lie in the kernel's half of the address space", () => {
    const line = "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]";
    expect(only(line)).toMatchObject({ low: 0xffffffffff600000, path: "[vsyscall]" });
  });
});

describe("finding an address", () => {
  const maps = must(
    parseMaps(
      "1000-2000 r--p 00000000 08:01 1 /a\n2000-3000 r-xp 00001000 08:01 1 /b\n5000-6000 rw-p 00000000 00:00 0 \n",
    ),
  );

  test.each([
    [0xfff, undefined],
    [0x1000, "/a"],
    [0x1fff, "/a"],
    [0x2000, "/b"],
    [0x2fff, "/b"],
    [0x3000, undefined],
    [0x4fff, undefined],
    [0x5000, ""],
    [0x6000, undefined],
  ])("%x is in %s", (at, path) => {
    expect(maps.find(address(at))?.path).toBe(path);
  });

  test("agrees with a plain search in a recorded process", () => {
    const recordedMaps = must(readMaps(recorded("idle-in-epoll")));
    expect(recordedMaps.regions.length).toBeGreaterThan(50);
    for (const { low, high } of recordedMaps.regions) {
      for (const at of [low - 1, low, (low + high) / 2, high - 1, high].map(address)) {
        const plain = recordedMaps.regions.find((region) => region.low <= at && at < region.high);
        expect(recordedMaps.find(at)).toBe(plain ?? null);
      }
    }
  });
});

describe("a text that is no maps", () => {
  test("of no line at all is that of a process that has ended", () => {
    expect(whyOf(parseMaps(""))).toBe("gone");
  });

  test.each([
    ["cut short", "1000-2000 r--p 00000000 08:01 1 /a\n2000-30"],
    ["an empty line", "1000-2000 r--p 00000000 08:01 1 /a\n\n2000-3000 r--p 00000000 08:01 1 /a\n"],
    ["descending", "2000-3000 r--p 00000000 08:01 1 /a\n1000-2000 r--p 00000000 08:01 1 /a\n"],
    ["overlapping", "1000-2000 r--p 00000000 08:01 1 /a\n1800-3000 r--p 00000000 08:01 1 /a\n"],
    ["of no extent", "1000-1000 r--p 00000000 08:01 1 /a\n"],
  ])("is malformed: %s", (_, text) => {
    expect(whyOf(parseMaps(text))).toBe("malformed");
  });
});
