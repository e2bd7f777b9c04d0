import { runInNewContext } from "node:vm";
import { describe, expect, test } from "@jest/globals";
import type { AnyFunction } from "../../../agent/instrument/native-forwarder";
import { isNative, isPlainObject, mayBeClass } from "../../../agent/instrument/native-kind";

/** As napi_create_function makes them: to be called with `new` too, with a prototype of their own. */
function native(name: string, members: object = {}, ancestor: object = Object.prototype) {
  const target = Math.max.bind(null) as unknown as AnyFunction;
  const prototype = Object.assign(Object.create(ancestor), members);
  Object.defineProperty(prototype, "constructor", { value: target });
  Object.defineProperty(target, "prototype", { value: prototype, writable: true });
  return Object.defineProperty(target, "name", { value: name });
}

describe("isNative", () => {
  test("is true of functions without JavaScript source, in any realm", () => {
    expect([Math.max, parseInt, runInNewContext("Array")].map(isNative)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("is false of JavaScript functions and classes, and of what is no function", () => {
    const candidates = [() => 0, class A {}, function f() {}, {}, "[native code]", null, undefined];
    expect(candidates.map(isNative)).toEqual(candidates.map(() => false));
  });
});

describe("mayBeClass", () => {
  test("is false of plain functions, named or not, with data of their own or without", () => {
    const withData = Object.assign(native("add"), { version: 3, [Symbol()]: {} });
    const withoutPrototype = Math.max as AnyFunction;
    expect(mayBeClass(native("add"), "add")).toBe(false);
    expect(mayBeClass(native(""), "encrypt_sync")).toBe(false);
    expect(mayBeClass(withData, "add")).toBe(false);
    expect(mayBeClass(withoutPrototype, "max")).toBe(false);
  });

  test("is true of what has methods, static functions, an ancestor or a capital letter", () => {
    const withStatic = Object.assign(native("counter"), { from: () => 0 });
    const withGetter = Object.defineProperty(native("counter"), "all", { get: () => 0 });
    const readOnly = Object.defineProperty(native("counter"), "prototype", { writable: false });
    expect(mayBeClass(native("counter", { add: () => 0 }), "counter")).toBe(true);
    expect(mayBeClass(withStatic, "counter")).toBe(true);
    expect(mayBeClass(withGetter, "counter")).toBe(true);
    expect(mayBeClass(readOnly, "counter")).toBe(true);
    expect(mayBeClass(native("stream", {}, { pipe: () => 0 }), "stream")).toBe(true);
    expect(mayBeClass(native("Handle"), "handle")).toBe(true);
    expect(mayBeClass(native(""), "Handle")).toBe(true);
  });
});

test("isPlainObject is true of objects without behaviour only, of any realm", () => {
  const plain = [{}, Object.create(null), runInNewContext("({})")];
  const others = [[], new Map(), Object.create({ inherited: 1 }), () => 0, null, 1];
  expect(plain.map(isPlainObject)).toEqual([true, true, true]);
  expect(others.map(isPlainObject)).toEqual(others.map(() => false));
});
