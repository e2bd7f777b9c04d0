// Frame sizes read from the first instructions of functions, as GCC and Clang write them.

import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { prologueFrameBytes } from "../../../agent/stack/x64-prologue";

const frameBytes = (hex: string): number | null =>
  prologueFrameBytes(Buffer.from(hex.replaceAll(" ", ""), "hex"));

test.each([
  ["uv_fs_read: five pushes behind rbp", "55 4889e5 4157 4156 4155 4154 53 4883ec18", 8 + 48 + 24],
  ["moves between the pushes", "55 4889e5 4157 4989ff 4156 4155 53 4881ec98020000", 8 + 40 + 0x298],
  ["endbr64 and a canary", "f30f1efa 55 4889e5 4883ec10 6448", 8 + 8 + 16],
  ["an early exit before the frame", "4885ff 0f8487010000 55 4889e5 53 4883ec08", 8 + 16 + 8],
  ["sub by adding -128", "55 4889e5 4883c480", 8 + 8 + 128],
  ["pushes alone, then a call", "55 4889e5 53 50 e800000000", 8 + 24],
  ["pages touched one by one", "55 4889e5 4881ec00100000 48830c2400 4883ec20", 16 + 4096 + 32],
  [
    "pages touched in a loop",
    "55 4889e5 4c8d9c2400c0ffff 4881ec00100000 48830c2400 4c39dc 75ef 4883ec20",
    16 + 0x4000 + 32,
  ],
])("%s", (_, hex, expected) => {
  expect(frameBytes(hex)).toBe(expected);
});

test.each([
  ["a frame of a size that was computed", "55 4889e5 4829c4"],
  ["a realigned stack", "55 4889e5 4883e4e0 4881ec80000000"],
  ["rsp from elsewhere", "55 4889e5 488d6424f8"],
  ["a jump away", "55 4889e5 eb10"],
  ["an instruction that is not known", "55 4889e5 c5f877"],
])("%s gives no size", (_, hex) => {
  expect(frameBytes(hex)).toBeNull();
});

test("any bytes give a number or null, and never an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 192 }), (code) => {
      const size = prologueFrameBytes(Buffer.from(code));
      expect(size === null || Number.isSafeInteger(size)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
