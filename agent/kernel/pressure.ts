// Pressure stall information of the whole machine. Watchdog thread. Kernel documentation
// accounting/psi; since Linux 4.20, needs CONFIG_PSI, and psi=1 at boot on some distributions:
// without them it fails `gone` or `unsupported`, which says nothing about the machine.

import { fail, type Result, succeed } from "../model/result";
import { type Ns, ns } from "../model/units";
import type { ProcRoot } from "./proc-root";
import { excerpt } from "./text";

export type PressureResource = "cpu" | "io" | "memory";

export interface Pressure {
  /** Cumulative time in which at least one task waited for the resource. */
  readonly someNs: Ns;
  /**
   * Cumulative time in which all tasks that were not idle waited; null where the kernel does not
   * say, as for cpu before Linux 5.13. For cpu it is 0 by definition at this level.
   */
  readonly fullNs: Ns | null;
}

/** Differences of two readings tell what the averages over 10 s and more would hide. */
export function readPressure(proc: ProcRoot, resource: PressureResource): Result<Pressure> {
  const text = proc.readText(`pressure/${resource}`);
  return text.ok ? parsePressure(text.value) : text;
}

/** Lines "some avg10=.. avg60=.. avg300=.. total=MICROSECONDS" and "full ...". */
export function parsePressure(text: string): Result<Pressure> {
  const someNs = totalNs(text, "some");
  if (someNs === null) return fail("malformed", `pressure: ${excerpt(text)}`);
  return succeed({ someNs, fullNs: totalNs(text, "full") });
}

function totalNs(text: string, kind: string): Ns | null {
  const total = new RegExp(`^${kind} .*\\btotal=(\\d{1,20})$`, "m").exec(text)?.[1];
  return total === undefined ? null : ns(Number(total) * 1000);
}
