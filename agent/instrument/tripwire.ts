// Tells when a thread first does something that our hooks are for: loads a file of a package, loads a
// native addon, or opens a socket. Most worker threads never do, so the hooks, which are some
// twenty files to load, wait for it. Application threads.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import Module from "node:module";
import { join, sep } from "node:path";
import { guard } from "../base/guard";
import { type Restore, replaceFunction } from "./wrap";

/** Where npm, pnpm and Yarn put packages, also inside Yarn's archives. */
const packagePart = /[\\/]node_modules[\\/]/;
/** Our own files, which are a package's too and which a worker loads as it needs them. */
const ownFolder = join(__dirname, "..", "..") + sep;

type Dlopen = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Calls `onTrip` once, before what tripped it goes on: a module has not run and an addon is not
 * loaded yet. Returns a function that takes the wire away.
 */
export function installTripwire(onTrip: () => void): Restore {
  const restores: Restore[] = [];
  const remove = (): void => {
    for (const restore of restores.splice(0)) restore();
  };
  const trip = (): void => {
    if (restores.length === 0) return;
    remove();
    guard("instrument", onTrip, undefined);
  };
  const socket = "net.client.socket";
  subscribe(socket, trip);
  restores.push(() => void unsubscribe(socket, trip));
  const dlopen = tripOnAddon(trip);
  if (dlopen !== null) restores.push(dlopen);
  const load = tripOnPackage(trip);
  if (load === null) trip();
  else restores.push(load);
  return remove;
}

function tripOnAddon(trip: () => void): Restore | null {
  return replaceFunction<Dlopen>(
    process,
    "dlopen",
    (original) =>
      function tripping(this: unknown, ...args): unknown {
        const isOutermost = process.dlopen === tripping;
        trip();
        // By now it may be a hook of ours; this very function, if somebody put it back. A wrapper
        // that somebody laid around this function has been called already and calls it again.
        const current = process.dlopen as Dlopen;
        const isAnother = isOutermost && current !== tripping;
        return Reflect.apply(isAnother ? current : original, this, args);
      },
  );
}

interface AnyModule {
  readonly id: unknown;
}

/**
 * By the assignment of `loaded` in the constructor of Module, as module-hook does it: no frame of ours
 * is on the stack while a module runs. null where Node's constructor is not like that, or where
 * somebody else uses it.
 */
function tripOnPackage(trip: () => void): Restore | null {
  const { prototype } = Module;
  if (Object.hasOwn(prototype, "loaded")) return null;
  let wasAssigned = false;
  const isOurs = (): boolean => Object.getOwnPropertyDescriptor(prototype, "loaded")?.set === set;
  function set(this: AnyModule, value: unknown): void {
    wasAssigned = true;
    if (isOfPackage(String(this.id))) {
      const wasOurs = isOurs();
      trip();
      if (wasOurs && !isOurs()) {
        // To whoever watches now; a plain property if nobody does.
        (this as { loaded?: unknown }).loaded = value;
        return;
      }
    }
    const plain = { value, writable: true, enumerable: true, configurable: true };
    Reflect.defineProperty(this, "loaded", plain);
  }
  const property = { get: () => undefined, set, enumerable: false, configurable: true };
  Object.defineProperty(prototype, "loaded", property);
  const restore = (): void => {
    if (isOurs()) Reflect.deleteProperty(prototype, "loaded");
  };
  new Module(probeName);
  if (wasAssigned) return restore;
  restore();
  return null;
}

const isOfPackage = (file: string): boolean =>
  packagePart.test(file) && !file.startsWith(ownFolder);

/** No path of a real module: it is relative. */
const probeName = "loophound-probe.js";
