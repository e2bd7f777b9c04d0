// Asks the main thread for its JavaScript stack while it is on CPU: one evaluation through the
// inspector, which V8 runs at its next interrupt check. Watchdog thread.
//
// The session is closed before the question is answered. Whatever the thread was doing, it then
// opens, answers and closes in one go, so no exit ever finds a session open (node would print
// "Waiting for the debugger to disconnect..."); the answer comes through shared memory instead.
// Nothing is enabled, nothing pauses, no optimized code is thrown away.

import { type Answer, type AnswerState, answerName, answerReader } from "../base/answer-cell";
import { fail, type Result, succeed } from "../model/result";

export interface Interrupter {
  /** Asks; the answer bears this number. Costs the watchdog about 0.2 ms. */
  ask(sequence: number): Result<void>;
  /** null while it has not answered that one. */
  answer(sequence: number): Answer | null;
  /** Why it would not ask now, in words; null if it would. */
  gap(): string | null;
}

const words: Readonly<Record<AnswerState, string | null>> = {
  ready: null,
  absent: "JavaScript on the CPU cannot be seen: this node has no inspector",
  debugged:
    "JavaScript on the CPU is not looked at while the inspector is open for somebody else (--inspect)",
  refused:
    "JavaScript on the CPU cannot be seen: the application froze Error, and its stack cannot be read without its code",
};

/** An inspector session that can be pointed at the main thread; tests have their own. */
export interface Session {
  connectToMainThread(): void;
  post(method: string, parameters: object): void;
  disconnect(): void;
}

export function createInterrupter(
  cell: SharedArrayBuffer,
  openSession: () => Session = openInspectorSession,
): Interrupter {
  const reader = answerReader(cell);
  let refusal: string | null = null;
  return {
    ask(sequence) {
      const gap = refusal ?? words[reader.state()];
      if (gap !== null) return fail("unsupported", gap);
      const asked = evaluate(openSession, `this[${JSON.stringify(answerName)}]?.(${sequence})`);
      // It will not do better the next time (--permission forbids the inspector, for one).
      if (!asked.ok) refusal = `JavaScript on the CPU cannot be seen: ${asked.detail}`;
      return asked;
    },
    answer: reader.read,
    gap: () => refusal ?? words[reader.state()],
  };
}

function openInspectorSession(): Session {
  const { Session } = require("node:inspector") as typeof import("node:inspector");
  return new Session();
}

function evaluate(openSession: () => Session, expression: string): Result<void> {
  try {
    const session = openSession();
    session.connectToMainThread();
    session.post("Runtime.evaluate", { expression, silent: true });
    session.disconnect();
    return succeed(undefined);
  } catch (error) {
    return fail("denied", error instanceof Error ? error.message : String(error));
  }
}
