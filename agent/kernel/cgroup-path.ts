// Where this process's control group has its files. Watchdog thread. cgroups(7), proc_pid_cgroup(5),
// proc_pid_mountinfo(5). Read once: moving a running process to another group is rare, and is not
// followed.

import { fail, type Result, succeed } from "../model/result";
import { bytes } from "../model/units";
import type { ProcRoot } from "./proc-root";

export type CgroupController = "cpu" | "memory";

export interface CgroupPlace {
  readonly version: 1 | 2;
  /** Absolute path of our group's directory. */
  readonly directory: string;
  /**
   * Our directory and those above it, innermost first, as far as the mount shows them. A limit that
   * is set on a group above ours stops us too, and is counted only there.
   */
  readonly chain: readonly string[];
}

/** A container host may have thousands of mounts of 150 bytes and more. */
const MOUNTINFO_BYTES_MAX = bytes(1024 * 1024);
/** Deeper groups than this exist in no scheduler's layout known to us. */
const CHAIN_MAX = 16;

/** Fails `gone` when the controller is mounted nowhere in sight, and `unsupported` when our group
 * lies outside of what is mounted. */
export function findCgroup(proc: ProcRoot, controller: CgroupController): Result<CgroupPlace> {
  const groups = proc.readText("self/cgroup");
  if (!groups.ok) return groups;
  const mounts = proc.readText("self/mountinfo", MOUNTINFO_BYTES_MAX);
  if (!mounts.ok) return mounts;
  return locateCgroup(groups.value, mounts.value, controller);
}

/** Of self/cgroup and self/mountinfo. Version 1 goes first where both have the controller mounted:
 * a controller belongs to one hierarchy at a time, and version 2 then lacks it. */
export function locateCgroup(
  cgroupText: string,
  mountinfoText: string,
  controller: CgroupController,
): Result<CgroupPlace> {
  const mounts = mountinfoText
    .split("\n")
    .map(parseMount)
    .filter((mount) => mount !== null);
  const mountV1 = mounts.find(
    ({ fsType, options }) => fsType === "cgroup" && options.includes(controller),
  );
  const pathV1 = groupPath(cgroupText, (names) => names.includes(controller));
  if (mountV1 !== undefined && pathV1 !== null) return placeOf(1, mountV1, pathV1);
  const mountV2 = mounts.find(({ fsType }) => fsType === "cgroup2");
  // "0::/path": version 2 has hierarchy 0 and names no controllers.
  const pathV2 = groupPath(cgroupText, (names, id) => id === "0" && names[0] === "");
  if (mountV2 !== undefined && pathV2 !== null) return placeOf(2, mountV2, pathV2);
  return fail("gone", `no cgroup mount has the ${controller} controller`);
}

interface Mount {
  /** The directory of the hierarchy that is mounted. */
  readonly root: string;
  readonly point: string;
  readonly fsType: string;
  /** Of the file system: controllers, in version 1. */
  readonly options: readonly string[];
}

function parseMount(line: string): Mount | null {
  // (7) optional fields are of any number and end at a lone hyphen.
  const [before = "", after] = line.split(" - ", 2);
  const [, , , root, point] = before.split(" ");
  const [fsType = "", , options = ""] = after?.split(" ") ?? [];
  if (root === undefined || point === undefined || fsType === "") return null;
  return {
    root: decodeOctal(root),
    point: decodeOctal(point),
    fsType,
    options: options.split(","),
  };
}

/** Space, tab, newline and backslash are written in octal. */
function decodeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function groupPath(
  cgroupText: string,
  isOurs: (controllers: readonly string[], hierarchy: string) => boolean,
): string | null {
  for (const line of cgroupText.split("\n")) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (match !== null && isOurs((match[2] ?? "").split(","), match[1] ?? "")) {
      return match[3] ?? null;
    }
  }
  return null;
}

function placeOf(version: 1 | 2, mount: Mount, path: string): Result<CgroupPlace> {
  const root = mount.root === "/" ? "" : mount.root;
  const isBelow = path === root || path.startsWith(`${root}/`);
  // "/.." appears when we are outside of our own cgroup namespace's root.
  if (!isBelow || path.split("/").includes("..")) {
    return fail("unsupported", `cgroup ${path} is not below the mount of ${mount.root}`);
  }
  const names = path
    .slice(root.length)
    .split("/")
    .filter((name) => name !== "");
  if (names.length >= CHAIN_MAX) return fail("limit", `cgroup ${path} lies too deep`);
  const chain = [mount.point];
  for (const name of names) chain.unshift(`${chain[0]}/${name}`);
  return succeed({ version, directory: chain[0] ?? mount.point, chain });
}
