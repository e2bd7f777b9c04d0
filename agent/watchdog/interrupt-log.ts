// Decides when a thread on CPU is asked for its JavaScript stack, and keeps the questions and answers
// of the stall that goes on. One question at a time: the next waits for the answer.

import type { Interrupt } from "../model/evidence";
import type { SyscallState } from "../model/snapshot";
import { type Ms, ms } from "../model/units";
import type { Interrupter } from "./interrupter";

/** Below this, silence is common in healthy loops: to ask would cost them and tell nothing. */
const firstSilenceMs = 25;
/** After the first answer; doubled after each. */
const firstPauseMs = 25;
/** With doubling pauses the eighth comes three seconds into a stall; it would say what the others said. */
const questionsMax = 8;
/** Of the application thread, for one stall. */
const costMsMax = 1;
/** Of one question, before and after the time that its answer knows of: the session opens and closes. */
const sessionMs = 0.2;

export interface InterruptLog {
  /** One look at a silent thread. */
  look(nowMs: Ms, silenceMs: Ms, state: SyscallState | null): void;
  /** Questions and answers until `endMs`; an answer that came later is none. */
  view(endMs: Ms): readonly Interrupt[];
  gaps(): readonly string[];
  discard(): void;
}

interface Question {
  readonly sequence: number;
  readonly askedMs: Ms;
}

interface Log {
  readonly interrupter: Interrupter;
  answered: Interrupt[];
  /** Outlives its stall: it is the thread that has to answer it. */
  open: Question | null;
  isAbout: boolean;
  /** What this stall's answers have cost the application thread. */
  costMs: number;
  sequence: number;
  gap: string | null;
}

export function createInterruptLog(interrupter: Interrupter): InterruptLog {
  const log: Log = {
    interrupter,
    answered: [],
    open: null,
    isAbout: false,
    costMs: 0,
    sequence: 0,
    gap: null,
  };
  return {
    look(nowMs, silenceMs, state) {
      collect(log);
      // Where the kernel does not say whether it runs, an answer says it.
      const mayRun = state === null || state.kind === "running";
      if (mayRun && silenceMs >= firstSilenceMs) consider(log, nowMs);
    },
    view(endMs) {
      collect(log);
      const open = log.isAbout && log.open !== null ? [unanswered(log.open.askedMs)] : [];
      return [...log.answered, ...open].map((one) =>
        one.answeredMs !== null && one.answeredMs > endMs ? unanswered(one.askedMs) : one,
      );
    },
    gaps: () => (log.gap === null ? [] : [log.gap]),
    discard() {
      log.answered = [];
      log.isAbout = false;
      log.costMs = 0;
      log.gap = null;
    },
  };
}

const unanswered = (askedMs: Ms): Interrupt => ({ askedMs, answeredMs: null, js: [] });

function collect(log: Log): void {
  const { open, interrupter } = log;
  const answer = open === null ? null : interrupter.answer(open.sequence);
  if (open === null || answer === null) return;
  if (log.isAbout) {
    const { answeredMs, js } = answer;
    log.costMs += answer.costMs + sessionMs;
    log.answered.push({ askedMs: open.askedMs, answeredMs, js });
  }
  log.open = null;
  log.isAbout = false;
}

function consider(log: Log, nowMs: Ms): void {
  if (log.open !== null) {
    // Left over from an earlier stall: then this is its first chance to answer, and about this one.
    if (!log.isAbout) log.open = { ...log.open, askedMs: nowMs };
    log.isAbout = true;
    return;
  }
  const last = log.answered.at(-1);
  const pauseMs = firstPauseMs * 2 ** (log.answered.length - 1);
  if (log.answered.length >= questionsMax || log.costMs + sessionMs >= costMsMax) return;
  if (last?.answeredMs != null && nowMs < last.answeredMs + pauseMs) return;
  const asked = log.interrupter.ask(++log.sequence);
  log.gap = asked.ok ? null : asked.detail;
  if (!asked.ok) return;
  log.open = { sequence: log.sequence, askedMs: ms(nowMs) };
  log.isAbout = true;
}

/** For a thread that cannot be asked; `gap` says why, where that is worth saying. */
export const noInterrupts = (gap: string | null): InterruptLog => ({
  look: () => undefined,
  view: () => [],
  gaps: () => (gap === null ? [] : [gap]),
  discard: () => undefined,
});
