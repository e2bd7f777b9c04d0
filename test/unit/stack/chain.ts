// The recorded stacks of test/fixtures/native-stack as what the unwinder reads: memory and maps.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { MapRegion, Maps } from "../../../agent/kernel/maps";
import { type Address, address } from "../../../agent/model/units";
import { joinedMemory, type Memory } from "../../../agent/stack/memory";

const fixtures = resolve(__dirname, "../../../../test/fixtures/native-stack");

interface RecordedFrame {
  readonly address: number;
  readonly sp: number;
  readonly symbol: string;
}

export interface Chain {
  readonly machine: "x64" | "arm64";
  readonly path: string;
  /** As gdb found them, innermost first. */
  readonly frames: readonly RecordedFrame[];
  readonly memory: Memory;
  readonly maps: Maps;
  readonly stackHigh: Address;
  readonly stack: Buffer;
}

/** Both executables map their code at 0x400000 and their data in the page behind. */
const imageLow = 0x400000;
const textBytes = 0x1000;

export function loadChain(machine: "x64" | "arm64"): Chain {
  const path = resolve(fixtures, `chain-${machine}.elf`);
  const image = readFileSync(path);
  const recorded = JSON.parse(readFileSync(resolve(fixtures, `chain-${machine}.json`), "utf8"));
  const frames: RecordedFrame[] = recorded.frames.map((frame: Record<string, string>) => ({
    address: Number(frame["address"]),
    sp: Number(frame["sp"]),
    symbol: frame["symbol"],
  }));
  const stack = Buffer.from(recorded.stack, "base64");
  const stackLow = frames[0]?.sp ?? 0;
  const text = image.subarray(0, textBytes);
  return {
    machine,
    path,
    frames,
    stack,
    memory: joinedMemory([
      { base: address(imageLow), buffer: text },
      { base: address(stackLow), buffer: stack },
    ]),
    maps: mapsOf([codeRegion(path, imageLow, imageLow + textBytes)]),
    stackHigh: address(stackLow + stack.length),
  };
}

export function codeRegion(path: string, low: number, high: number): MapRegion {
  return {
    low: address(low),
    high: address(high),
    readable: true,
    executable: true,
    offset: path === "" ? 0 : low - imageLow,
    inode: path === "" ? 0 : 1,
    path,
  };
}

export function mapsOf(regions: readonly MapRegion[]): Maps {
  return {
    regions,
    find: (at) => regions.find(({ low, high }) => at >= low && at < high) ?? null,
  };
}
