// Everything that is known of one stall, as plain values: what the watchdog recorded, and all that
// the rules in diagnose/ may go by. It can be written to a file and judged again.

import type { Experiment } from "./experiment";
import type { GcEntry } from "./gc";
import type { ChargedCommand } from "./incident";
import type { JsFrame, ThreadStack } from "./stack";
import type { Stall } from "./stall";
import type { Ms } from "./units";

export interface Interval {
  readonly startMs: Ms;
  readonly endMs: Ms;
}

/** The watchdog was kept from running. */
export interface LostInterval extends Interval {
  /** Of that it waited for a CPU, or up to a second before: nobody stopped it then. */
  readonly waitedMs: Ms;
}

/** What a descriptor leads to. */
export type Target =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "udp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string | null }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "pipe" }
  | { readonly kind: "other"; readonly what: string };

export interface BlockingCall {
  /** Name of the system call, e.g. `read`. */
  readonly name: string;
  /** What it waits on; null where it takes no descriptor or none could be resolved. */
  readonly target: Target | null;
}

/** A function of a native addon that was entered from JavaScript and had not returned. */
export interface ForwardedCall {
  /** Base name of the addon, e.g. `bcrypt_lib.node`. */
  readonly module: string;
  /** As the addon exports it, e.g. `hashSync` or `Database.exec`. */
  readonly function: string;
}

/** The samples that found the thread in the same place. */
export interface Sighting {
  readonly firstMs: Ms;
  /** Between the two it may have been elsewhere, and have come back. */
  readonly lastMs: Ms;
  /** Its share of the stall: the time for which these samples stand. */
  readonly weightMs: Ms;
  /** proc_pid_stat(5) (3): R, S, D, T, t ...; null where it could not be read. */
  readonly state: string | null;
  /** null: on CPU or waiting for one. */
  readonly call: BlockingCall | null;
  /** On CPU, as V8's isolate shows it: in JavaScript, or in native code that it called; null: not known. */
  readonly running: "javascript" | "native" | null;
  /** null: not read, or refused. On CPU it has the JavaScript that called native code, and of that the function called. */
  readonly stack: ThreadStack | null;
  /** What the forwarders' marker said; null: no forwarded call was under way, or forwarders are off. */
  readonly forwarded: ForwardedCall | null;
}

/** The reply to an outstanding command, seen in the kernel's receive queue while nobody read it. */
export interface UnreadReply {
  readonly command: string;
  readonly client: string;
  /** Of the command's record: the oldest outstanding one of its connection, so the bytes are its reply's. */
  readonly sequence: number;
  readonly connectionId: number;
  readonly host: string;
  readonly port: number;
  readonly sentMs: Ms;
  /** The first sample that found it; it had arrived by then. */
  readonly seenMs: Ms;
  readonly rxQueueBytes: number;
}

/** V8 was asked to run a stack capture at its next interrupt check: JavaScript answers, native code does not. */
export interface Interrupt {
  readonly askedMs: Ms;
  /** null: no answer before the stall was over. */
  readonly answeredMs: Ms | null;
  /** The JavaScript stack in the answer, innermost first; empty without one. */
  readonly js: readonly JsFrame[];
}

/** AMQP connections to one server that a stall kept from sending their heartbeats. */
export interface HeartbeatExposure {
  readonly host: string | null;
  readonly port: number | null;
  /** As negotiated. */
  readonly heartbeatMs: Ms;
  /** Open when the stall began. */
  readonly connections: number;
  /** Those of them that ended since, with the code of the reason; null: none was given. */
  readonly ends: readonly { readonly atMs: Ms; readonly reason: string | null }[];
}

export interface StallEvidence {
  readonly stall: Stall;
  /** False if the watchdog itself slept through it. */
  readonly wasSeenLive: boolean;
  /** True if it ended with its thread (terminate, exit), not by the loop's turning again. */
  readonly isCutShort: boolean;
  readonly sightings: readonly Sighting[];
  /** Empty: none was asked (never on-CPU, or the inspector is not available). */
  readonly interrupts: readonly Interrupt[];
  /** From schedstat and stat, over the samples; null where not readable. */
  readonly onCpuMs: Ms | null;
  readonly runQueueMs: Ms | null;
  readonly majorFaults: number | null;
  /** The time that the three figures above cover. */
  readonly measuredMs: Ms;
  /** cgroup throttling in that time; null where there is no limit or no controller. */
  readonly throttledMs: Ms | null;
  readonly gc: readonly GcEntry[];
  /** When the watchdog itself was kept from running. */
  readonly lost: readonly LostInterval[];
  readonly unreadReplies: readonly UnreadReply[];
  readonly commands: readonly ChargedCommand[];
  /** Absent where none was open. */
  readonly heartbeats?: readonly HeartbeatExposure[];
  /** On the servers that somebody waited for; absent: none was made. */
  readonly experiments?: readonly Experiment[];
  /** Real path of the running node binary, by which its own frames are told from an addon's. */
  readonly executable: string;
  /** What could not be read, and why, a sentence each. */
  readonly gaps: readonly string[];
}
