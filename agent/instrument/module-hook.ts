// Calls an adapter once, when a leaf file of a client library has been loaded, however it came in:
// require, import, nested, or before us. Application thread. No frame of ours is on the stack while
// a module runs, so what an application prints when it fails to load stays the same, word for word.
//
// How: the constructor of Module assigns `this.loaded = false` and Module.prototype.load later
// `this.loaded = true`. An accessor of that name on the prototype receives the first assignment and
// turns it at once into the plain property that it would have been; a target's becomes an accessor
// until the second, which is the moment that we want.
// https://github.com/nodejs/node/blob/v20.20.0/lib/internal/modules/cjs/loader.js (function Module)

import Module from "node:module";
import { sep } from "node:path";
import { guard } from "../base/guard";
import { type Restore, replaceFunction } from "./wrap";

export interface ModuleTarget {
  /** End of the file's path, with `/` between its parts. */
  readonly suffix: string;
  /** Called with the complete exports, once per copy of the file. A throw is caught and counted. */
  adapt(exports: unknown, filename: string): void;
}

/**
 * How modules are watched. `compile`: this Node assigns `loaded` in another way, so the compiler is
 * wrapped and stack traces of loading modules show a line of ours. `none`: neither is possible.
 */
export type ModuleHookKind = "loaded" | "compile" | "none";

export interface ModuleHook {
  readonly kind: ModuleHookKind;
  uninstall(): void;
}

/** The parts of Node's Module that its typings leave out. */
interface LoadedModule {
  readonly id: string;
  readonly filename: string | null;
  readonly exports: unknown;
  loaded: boolean;
}
interface ModuleClass {
  new (id: string): LoadedModule;
  readonly prototype: object;
  readonly _cache: Readonly<Record<string, LoadedModule | undefined>>;
}

type FindTarget = (filename: string) => ModuleTarget | undefined;

export function installModuleHook(targets: readonly ModuleTarget[]): ModuleHook {
  const moduleClass = Module as unknown as ModuleClass;
  const find = targetFinder(targets);
  const hook = watchLoaded(moduleClass, find) ?? watchCompile(moduleClass, find);
  adaptLoaded(moduleClass, find);
  return hook ?? { kind: "none", uninstall: () => undefined };
}

function targetFinder(targets: readonly ModuleTarget[]): FindTarget {
  const ends = targets.map((target) => target.suffix.replaceAll("/", sep));
  return (filename) => {
    // A loop, not find(): this runs for every module that the application loads.
    for (let i = 0; i < ends.length; i++) {
      if (filename.endsWith(ends[i] as string)) return targets[i];
    }
    return undefined;
  };
}

const adaptTo = (target: ModuleTarget, exports: unknown, filename: string): void =>
  guard("instrument", () => target.adapt(exports, filename), undefined);

const setLoaded = (module: object, value: unknown): boolean =>
  Reflect.defineProperty(module, "loaded", {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });

/** Until it is loaded, `module` has an accessor where others have a plain property. */
function awaitLoaded(module: LoadedModule, target: ModuleTarget, isActive: () => boolean): void {
  let current: unknown = false;
  Object.defineProperty(module, "loaded", {
    get: () => current,
    set(this: LoadedModule, value: unknown) {
      current = value;
      if (value !== true) return;
      setLoaded(this, value);
      if (isActive()) adaptTo(target, this.exports, this.filename ?? this.id);
    },
    enumerable: true,
    configurable: true,
  });
}

function watchLoaded(moduleClass: ModuleClass, findTarget: FindTarget): ModuleHook | null {
  const { prototype } = moduleClass;
  if (Object.hasOwn(prototype, "loaded")) return null;
  const expected = shapeOf(new moduleClass(probeName));
  let probe: ModuleTarget | null = null;
  let isActive = true;
  Object.defineProperty(prototype, "loaded", {
    get: () => undefined,
    set(this: LoadedModule, value: unknown) {
      const target = probe ?? findTarget(String(this.id));
      if (target === undefined || value !== false) setLoaded(this, value);
      else awaitLoaded(this, target, () => isActive);
    },
    enumerable: false,
    configurable: true,
  });
  const uninstall = (): void => {
    isActive = false;
    Reflect.deleteProperty(prototype, "loaded");
  };

  // The trick rests on how Node writes its constructor, so it is tried before it is trusted.
  let timesAdapted = 0;
  const plain = new moduleClass(probeName);
  probe = { suffix: probeName, adapt: () => timesAdapted++ };
  const watched = new moduleClass(probeName);
  probe = null;
  watched.loaded = true;
  plain.loaded = true;
  if (timesAdapted === 1 && [plain, watched].every((module) => shapeOf(module) === expected)) {
    return { kind: "loaded", uninstall };
  }
  uninstall();
  return null;
}

/** No path of a real module: it is relative. */
const probeName = "loophound-probe.js";

/** Own keys in order, and how `loaded` is defined: all that could give us away. */
function shapeOf(module: LoadedModule): string {
  const loaded = Object.getOwnPropertyDescriptor(module, "loaded");
  return JSON.stringify([
    Reflect.ownKeys(module).map(String),
    loaded?.enumerable,
    loaded?.configurable,
    loaded?.writable,
  ]);
}

type Compile = (
  this: LoadedModule,
  content: string,
  filename: string,
  ...rest: unknown[]
) => unknown;

function watchCompile(moduleClass: ModuleClass, findTarget: FindTarget): ModuleHook | null {
  const uninstall: Restore | null = replaceFunction<Compile>(
    moduleClass.prototype,
    "_compile",
    (compile) =>
      function (this: LoadedModule, ...args: Parameters<Compile>) {
        const result = compile.apply(this, args);
        const target = findTarget(String(args[1]));
        if (target !== undefined) adaptTo(target, this.exports, args[1]);
        return result;
      },
  );
  return uninstall === null ? null : { kind: "compile", uninstall };
}

/** Another preload may have loaded a client before us. */
function adaptLoaded(moduleClass: ModuleClass, findTarget: FindTarget): void {
  for (const [filename, module] of Object.entries(moduleClass._cache)) {
    const target = findTarget(filename);
    if (target === undefined || module === undefined) continue;
    if (module.loaded) adaptTo(target, module.exports, filename);
  }
}
