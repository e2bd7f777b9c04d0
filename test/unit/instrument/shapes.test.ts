import { EventEmitter } from "node:events";
import { afterEach, expect, test } from "@jest/globals";
import { emittersMax, methodOwner, shapeOf, watchEmitters } from "../../../agent/instrument/shapes";

class Client extends EventEmitter {
  send(): void {}
  reset(): void {}
}
class Derived extends Client {}
/** What a TypeScript mixin makes of it. */
class Mixed {
  constructor() {
    EventEmitter.call(this as unknown as EventEmitter);
  }
  send(): void {}
  reset(): void {}
}

const restores: ((() => void) | null)[] = [];
afterEach(() => {
  for (const restore of restores.splice(0)) restore?.();
});

function watch(hook: (prototype: object) => void) {
  restores.push(watchEmitters([{ methods: ["send", "reset"], hook, adopt: () => undefined }]));
}

test("a class is found by its methods when its first object is made, and once", () => {
  const found: object[] = [];
  watch((prototype) => found.push(prototype));
  for (let i = 0; i < 3; i++) {
    new Client();
    new Mixed();
    new EventEmitter();
  }
  new Derived();
  expect(found).toEqual([Client.prototype, Mixed.prototype, Derived.prototype]);
});

test("an emitter is what it would be without us, whatever goes wrong in us", () => {
  const plain = Reflect.ownKeys(new Client());
  const init = Reflect.get(EventEmitter, "init");
  watch(() => {
    throw new Error("ours");
  });
  expect(Reflect.ownKeys(new Client())).toEqual(plain);
  expect(Reflect.get(EventEmitter, "init").name).toBe(init.name);
  expect(() => new EventEmitter({ captureRejections: 1 as unknown as boolean })).toThrow(
    "captureRejections",
  );
  restores.pop()?.();
  expect(Reflect.get(EventEmitter, "init")).toBe(init);
});

test("looking ends after the first few thousand emitters", () => {
  const init = Reflect.get(EventEmitter, "init");
  const found: object[] = [];
  watch((prototype) => found.push(prototype));
  for (let i = 0; i < emittersMax; i++) new EventEmitter();
  new Client();
  expect(found).toEqual([]);
  expect(Reflect.get(EventEmitter, "init")).toBe(init);
});

test("a getter is no method, and is not run", () => {
  const candidate = {
    get send(): never {
      throw new Error("run");
    },
    reset() {},
  };
  const shape = { methods: ["send", "reset"], hook: () => undefined, adopt: () => undefined };
  expect(shapeOf([shape], candidate)).toBeUndefined();
  expect(methodOwner(new Derived(), "send")).toBe(Client.prototype);
  expect(methodOwner({}, "send")).toBeNull();
});
