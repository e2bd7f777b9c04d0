// Puts together the watch of one thread from its shared memory. Watchdog thread.

import { beatReader } from "../base/beat-cell";
import { nowMs } from "../base/clock";
import { gcReader } from "../base/gc-cell";
import { type LedgerEntry, ledgerReader } from "../base/ledger-reader";
import { flagCells, hasFlag, threadFlag } from "../base/thread-flags";
import type { CpuThrottlingReader } from "../kernel/cgroup-cpu";
import { findByRemotePorts } from "../kernel/net-tcp";
import type { ProcRoot } from "../kernel/proc-root";
import type { Config } from "../model/config";
import { fastPeriodMs } from "../model/periods";
import type { Result } from "../model/result";
import { ms } from "../model/units";
import type { WatchedThread } from "../model/wire";
import type { StackExaminer } from "../stack/thread-stack";
import { createClaims } from "./claims";
import { createCommandHistory } from "./command-history";
import { type CommandWatch, createCommandWatch } from "./command-watch";
import type { ControlProbes } from "./control-probes";
import type { Directory } from "./directory";
import { createInterruptLog, type InterruptLog, noInterrupts } from "./interrupt-log";
import { createInterrupter } from "./interrupter";
import { createLiveWitness } from "./live-witness";
import type { LostTime } from "./lost-time";
import { forwardedReader } from "./native-names";
import { createParking } from "./parking";
import { createServerFacts } from "./server-facts";
import { createSlowCommands } from "./slow-commands";
import { createStallDetector } from "./stall-detector";
import { createStallRecorder } from "./stall-recorder";
import { createThreadWatch, type ThreadWatch } from "./thread-watch";
import { createUnreadReplyFinder } from "./unread-replies";
import type { Witness } from "./witness";

export interface WatchParts {
  readonly watch: ThreadWatch;
  readonly commands: CommandWatch;
  readonly witness: Witness;
  /** Gives back what the watch holds open, when its thread has ended. */
  close(): void;
}

export interface AssembleOptions {
  readonly thread: WatchedThread;
  readonly config: Config;
  readonly proc: ProcRoot;
  readonly arch: string;
  readonly examiner: Result<StackExaminer>;
  readonly throttling: Result<CpuThrottlingReader>;
  readonly lostTime: LostTime;
  readonly directory: Directory;
  readonly nextStallId: () => number;
  readonly onSettled: (entry: LedgerEntry) => void;
  /** See SlowCommandsOptions. */
  readonly onUnjudged: () => void;
  /** One for all threads: a server is asked once, whoever waits for it. */
  readonly probes: ControlProbes;
  /** Numbers the incidents of slow commands. */
  readonly nextSlowNumber: () => number;
}

export function assembleWatch(options: AssembleOptions): WatchParts {
  const { thread, config, proc, arch, examiner } = options;
  const witness = createLiveWitness({
    proc,
    tid: thread.tid,
    arch,
    examiner,
    throttling: options.throttling,
    forwarded: forwardedReader(thread.marker, options.directory.nativeFunctions),
  });
  const history = createCommandHistory();
  const facts = createServerFacts(options.probes);
  const claims = createClaims();
  const thresholdMs = ms(config.slowCommandMs);
  const commands = createCommandWatch({
    ledger: ledgerReader(thread.ledger),
    directory: options.directory,
    facts,
    claims,
    probes: options.probes,
    unreadFinder: createUnreadReplyFinder((remotePorts) => {
      const found = findByRemotePorts(proc, remotePorts);
      return found.ok ? found.value.entries : [];
    }, nowMs),
    onSettled: options.onSettled,
    history,
    slow: createSlowCommands({
      thresholdMs,
      history,
      facts,
      nextNumber: options.nextSlowNumber,
      isClaimed: claims.has,
      onUnjudged: options.onUnjudged,
    }),
  });
  const watch = createThreadWatch({
    clock: nowMs,
    threadId: thread.threadId,
    executable: executableOf(proc),
    beats: beatReader(thread.beat),
    gc: gcReader(thread.gc),
    witness,
    lostTime: options.lostTime,
    parking: createParking({ arch, stack: witness.stack }),
    mayPark: mayPark(thread),
    detector: createStallDetector({
      threadId: thread.threadId,
      stallMs: ms(config.stallMs),
      fastPeriodMs,
      nextId: options.nextStallId,
    }),
    recorder: createStallRecorder(witness, interruptsOf(thread)),
    commands,
  });
  return { watch, commands, witness, close: witness.close };
}

/** The inspector leads from a worker thread to the main thread, and to no other. */
const mainThreadId = 0;

function interruptsOf({ threadId, answers }: WatchedThread): InterruptLog {
  if (threadId !== mainThreadId || answers === undefined) {
    return noInterrupts(null);
  }
  return createInterruptLog(createInterrupter(answers));
}

/** A main thread has a loop to turn, and so has whoever serves; any other thread may wait for work. */
function mayPark({ threadId, flags }: WatchedThread): () => boolean {
  const cells = flagCells(flags);
  return () => threadId !== mainThreadId && !hasFlag(cells, threadFlag.serves);
}

/** As memory mappings name it: node's own frames are told from an addon's by this path. */
function executableOf(proc: ProcRoot): string {
  const link = proc.readLink("self/exe");
  return link.ok ? link.value : process.execPath;
}
