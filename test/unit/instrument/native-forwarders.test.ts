import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { createMarkerCell, markerReader, noFunctionId } from "../../../agent/base/marker-cell";
import {
  type InstalledForwarders,
  installNativeForwarders,
} from "../../../agent/instrument/native-forwarders";
import type { ToWatchdog } from "../../../agent/model/wire";
import { compileAddon } from "../../support/compile-addon";

type Call = (...args: unknown[]) => unknown;
type Addon = Record<string, Call> & { codec: Record<string, Call> };

let files: string[] = [];
const compile = (name: string, ...defines: string[]): string => {
  const file = compileAddon("forwarded.c", name, defines);
  files.push(file);
  return file;
};
let file = "";
beforeAll(() => {
  file = compile("forwarded");
});
afterAll(() => {
  for (const made of files) rmSync(dirname(made), { recursive: true });
  files = [];
});

let installed: InstalledForwarders;
afterEach(() => installed.uninstall());

function install() {
  const marker = createMarkerCell();
  const posted: ToWatchdog[] = [];
  installed = installNativeForwarders({ marker, post: (message) => posted.push(message) });
  const read = markerReader(marker);
  /** The name of the function that the marker shows. */
  const shown = (): string | null => {
    const id = read();
    return id === noFunctionId ? null : (installed.names()[id - 1]?.function ?? "unknown");
  };
  return { shown, posted };
}

function load(path = file): Addon {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as Addon;
}

test("the marker shows a function while it runs, and nothing before and after", () => {
  const { shown } = install();
  const addon = load();
  expect(shown()).toBeNull();
  expect(addon["callBack"]?.(shown)).toBe("callBack");
  expect(shown()).toBeNull();
});

test("after a nested call the marker shows the outer function again, also when the inner one threw", () => {
  const { shown } = install();
  const { callBack, fail } = load();
  const seen: unknown[] = [];
  callBack?.(() => {
    expect(() => fail?.()).toThrow(/native says no/);
    seen.push(shown());
    callBack?.call({}, () => seen.push(shown()));
    seen.push(shown());
  });
  expect(seen).toEqual(["callBack", "callBack", "callBack"]);
  expect(shown()).toBeNull();
});

test("the marker is put back when a callback throws through native code, or the call was made with new", () => {
  const { shown } = install();
  const { callBack, newTarget } = load();
  const error = new Error("through");
  const boom = () => {
    throw error;
  };
  expect(() => callBack?.(boom)).toThrow(error);
  expect(shown()).toBeNull();
  Reflect.construct(newTarget as Call, []);
  expect(shown()).toBeNull();
});

test("functions are named by addon and path: nested ones, static ones and methods too", () => {
  const { posted } = install();
  load();
  const names = installed.names();
  expect(new Set(names.map(({ module }) => module))).toEqual(new Set(["forwarded.node"]));
  expect(names.map((call) => call.function)).toEqual(
    expect.arrayContaining(["spin", "sum", "codec.encode", "Counter.add", "Counter.from"]),
  );
  expect(posted).toEqual(
    names.map((call, index) => ({
      kind: "native-function",
      id: index + 1,
      module: call.module,
      name: call.function,
    })),
  );
});

test("one function under two names is one forwarder; a class, its locked methods and accessors are left alone", () => {
  install();
  const addon = load();
  expect(addon["alias"]).toBe(addon["sum"]);
  expect(installed.names().map((call) => call.function)).not.toContain("alias");
  expect(installed.counts).toEqual({ forwarded: 12, locked: 2, unnumbered: 0, constructors: 1 });
});

test("an addon that is loaded again keeps its numbers", () => {
  install();
  load();
  const before = installed.names();
  expect(load()["sum"]?.(1, 2)).toBe(3);
  expect(installed.names()).toEqual(before);
});

test("locked and frozen exports are forwarded in a copy that is as locked, which native code never sees", () => {
  const { shown } = install();
  const frozen = load(compile("frozen", "EXPORT_FROZEN"));
  const locked = load(compile("locked", "EXPORT_LOCKED"));
  expect([Object.isFrozen(frozen), Object.isFrozen(locked)]).toEqual([true, false]);
  for (const addon of [frozen, locked]) {
    expect(addon["callBack"]?.(shown)).toBe("callBack");
    expect(addon["receiver"]?.()).toBe(addon);
    expect(Object.getOwnPropertyDescriptor(addon, "sum")).toMatchObject({
      writable: false,
      configurable: false,
    });
  }
});

test("exports that are a function are forwarded, with their own properties", () => {
  install();
  const sum = load(compile("function", "EXPORT_FUNCTION")) as unknown as Call & { version: number };
  expect([sum(1, 2), sum.version, sum.name]).toEqual([3, 3, "sum"]);
  expect(sum.prototype.constructor).toBe(sum);
  expect(installed.names()).toEqual([{ module: "function.node", function: "sum" }]);
});

test("an error of native code keeps its type and code, with one frame of ours under a name that says so", () => {
  install();
  const { fail } = load();
  let error: unknown = null;
  try {
    fail?.();
  } catch (thrown) {
    error = thrown;
  }
  const { name, message, code, stack } = error as NodeJS.ErrnoException;
  expect([name, message, code]).toEqual(["RangeError", "native says no", "ERR_NATIVE"]);
  expect(stack?.match(/loophound:forwarder/g)).toHaveLength(1);
  expect(stack).toContain("native-forwarders.test");
});

test("an addon that cannot be loaded fails as without us", () => {
  install();
  expect(() => load("/nowhere/at-all.node")).toThrow(/cannot open shared object file/);
  expect(() => process.dlopen(undefined as never, file)).toThrow();
  expect(installed.counts.forwarded).toBe(0);
});

test("after uninstall addons are left alone, and those that were loaded go on working", () => {
  const { shown } = install();
  const original = process.dlopen;
  const early = load();
  installed.uninstall();
  expect(process.dlopen).not.toBe(original);
  expect(early["sum"]?.(1, 2)).toBe(3);
  expect(load()["callBack"]?.(shown)).toBeNull();
});
