// What control experiments say of a server while a command of the application waited for it: it held
// its answers, the path to it is long, or it answered others all the while. Pure.
//
// The time to connect is the path's alone: the server's kernel accepts. An experiment that was slow
// because the watchdog was late proves nothing; one that was fast stays fast.

import type { Experiment } from "../model/experiment";
import type { Evidence } from "../model/incident";
import { type Ms, ms } from "../model/units";
import { askedFor, connectTime, isMeasured, promptMs, toldBy } from "./experiment-words";
import {
  durationOf,
  endsApart,
  type Flight,
  sameMomentMs,
  type Votes,
  vote,
} from "./held-or-delayed";
import { roundMs } from "./rule";

export interface Question {
  readonly command: string;
  readonly flight: Flight;
  /** The command is not answered yet. */
  readonly isOpen: boolean;
  /** Of its server, from `nearMs` before it was sent, oldest first. */
  readonly experiments: readonly Experiment[];
  /** Other commands that it answered since then, while the loop was free. */
  readonly peers: readonly Flight[];
}

export interface Finding {
  /**
   * - `server`: it held its answers, this command's among them.
   * - `path`: what is asked of it comes back late, whenever it is asked.
   * - `answering`: it answered others while this command waited.
   * - `nothing`: the experiments do not decide.
   */
  readonly kind: "server" | "path" | "answering" | "nothing";
  /** 0 to 1. */
  readonly certainty: number;
  /** Time of the path there and back, as the control connect measured it; null without one. */
  readonly connectMs: number | null;
  /** Until then nothing that was asked of it came back; null: not known to have been silent. */
  readonly silentUntilMs: Ms | null;
  /** By then it had answered somebody who asked later; null: not known. */
  readonly answeredMs: Ms | null;
  /** How long that took it, with the way there and back; null: not known. */
  readonly answerTookMs: Ms | null;
  readonly uncertaintyMs: number;
  readonly evidence: readonly Evidence[];
}

/** The path does not change from one moment to the next: an experiment a moment ago still counts. */
export const nearMs = ms(1500);
/** The command must have gone on waiting for so long after others were answered. */
const afterwardsMs = 20;
/** An answer is only late if it took so much longer than the path. */
const lateFromMs = 3;
const pathsLate = 3;
const lateShare = 0.1;
/** Part of a command's time in flight that a slow path must take to explain it. */
const explainsFrom = 0.5;
/** While a command is open, silence must have lasted this long to mean anything. */
const openSilenceMs = 250;
const mostShare = 0.8;
/** Two questions may take the same time by chance; a third one hardly. */
const delayedNeeded = 2;

export function askServer(question: Question): Finding {
  for (const weigh of [byConnect, bySilence, byAnswerTime, byAnswer, byPeers]) {
    const found = weigh(question);
    if (found !== null) return found;
  }
  const newest = question.experiments.findLast((one) => isDuring(one, question.flight));
  return newest === undefined ? undecided : told(question, newest, {});
}

/**
 * The same of a command whose reply had to wait for a blocked loop: when it was read says nothing of
 * when it came. `usualMs` tells a sudden silence from a path that is always long; null: not known.
 */
export function askDuringStall(question: Question, usualMs: Ms | null): Finding {
  const { flight, experiments } = question;
  const slowPath = byConnect(question);
  if (slowPath !== null) return slowPath;
  // A short silence does not speak for all of the time before it.
  const late = experiments.find((one) => {
    const tookMs = askedFor(one, flight);
    const spanMs = (one.repliedMs ?? flight.untilMs) - flight.sentMs;
    const isLong = tookMs > promptMs && tookMs >= spanMs * explainsFrom;
    return isDuring(one, flight) && isLong && isMeasured(tookMs, one);
  });
  if (late === undefined) return byAnswer(question) ?? byPeers(question) ?? undecided;
  const tookMs = askedFor(late, flight);
  const isSudden = usualMs !== null && usualMs <= tookMs * suddenShare;
  return told(question, late, {
    kind: isSudden ? "server" : "nothing",
    certainty: isSudden ? 0.7 : 0,
    silentUntilMs: late.repliedMs ?? flight.untilMs,
    uncertaintyMs: Math.max(0, (late.connectedMs ?? flight.untilMs) - flight.sentMs),
  });
}
const suddenShare = 0.25;

type Weigh = (question: Question) => Finding | null;

const undecided: Finding = {
  kind: "nothing",
  certainty: 0,
  connectMs: null,
  silentUntilMs: null,
  answeredMs: null,
  answerTookMs: null,
  uncertaintyMs: 0,
  evidence: [],
};

const told = (question: Question, one: Experiment, changes: Partial<Finding>): Finding => ({
  ...undecided,
  connectMs: connectTime(one),
  evidence: toldBy(one, question),
  ...changes,
});

const isDuring = ({ startedMs, endedMs }: Experiment, { sentMs, untilMs }: Flight): boolean =>
  startedMs < untilMs && (endedMs ?? untilMs) > sentMs;
const isNear = (one: Experiment, { connectionId, sentMs, untilMs }: Flight): boolean =>
  isDuring(one, { connectionId, sentMs: ms(sentMs - nearMs), untilMs });

/** Even the server's kernel was late to accept: that is the path. */
const byConnect: Weigh = (question) => {
  const { flight, experiments } = question;
  const enoughMs = Math.max(promptMs, durationOf(flight) * explainsFrom);
  const late = experiments.find((one, index) => {
    const tookMs = waitedToConnect(one, flight);
    if (tookMs < enoughMs || !isMeasured(tookMs, one) || !isNear(one, flight)) return false;
    // It waited together with the command, or the path was so before and nothing newer says otherwise.
    const fromMs = Math.max(one.startedMs, flight.sentMs);
    const isShared = Math.min(one.startedMs + tookMs, flight.untilMs) - fromMs >= enoughMs;
    return isShared || !experiments.slice(index + 1).some((newer) => isAtOnce(newer, enoughMs));
  });
  if (late === undefined) return null;
  const tookMs = connectTime(late);
  const uncertaintyMs = Math.max(0, durationOf(flight) - (tookMs ?? 0));
  return told(question, late, {
    kind: "path",
    certainty: tookMs === null ? 0.8 : 0.9,
    uncertaintyMs,
  });
};

const isAtOnce = (one: Experiment, enoughMs: number): boolean =>
  (connectTime(one) ?? Number.POSITIVE_INFINITY) < enoughMs;

/** Until it was accepted, given up, or the command was answered; 0 if it was refused. */
function waitedToConnect(one: Experiment, { untilMs }: Flight): number {
  const { startedMs, connectedMs, endedMs, failure } = one;
  if (connectedMs !== null) return connectedMs - startedMs;
  if (endedMs === null) return untilMs - startedMs;
  return failure === "timeout" ? endedMs - startedMs : 0;
}

/** A command that is not answered yet, and a question that is not either. */
const bySilence: Weigh = (question) => {
  const { flight, isOpen, peers } = question;
  if (!isOpen) return null;
  const silent = question.experiments.find((one) => {
    const isSilent = one.repliedMs === null && (one.endedMs === null || one.failure === "timeout");
    const tookMs = askedFor(one, flight);
    const isLong = tookMs >= openSilenceMs && isMeasured(tookMs, one);
    return isSilent && isLong && isDuring(one, flight);
  });
  if (silent?.connectedMs == null) return null;
  const sinceMs = silent.connectedMs + promptMs;
  if (peers.some(({ untilMs }) => untilMs > sinceMs)) return null;
  const uncertaintyMs = Math.max(0, silent.connectedMs - flight.sentMs);
  const silentUntilMs = flight.untilMs;
  return told(question, silent, { kind: "server", certainty: 0.85, silentUntilMs, uncertaintyMs });
};

/** The answer was late: held together with the command's, or delayed alike. */
const byAnswerTime: Weigh = (question) => {
  const { flight, peers } = question;
  const late = question.experiments.findLast((one) => isLate(one, flight));
  if (late?.connectedMs == null || late.repliedMs === null) return null;
  const answer = { connectionId: null, sentMs: late.connectedMs, untilMs: late.repliedMs };
  const own = vote(answer, [flight]);
  const votes = vote(answer, [flight, ...peers]);
  const isNow = isDuring(late, flight);
  if (isNow && isMost(votes.held, votes.delayed)) return heldBy(question, late, { answer, own });
  if (votes.delayed >= delayedNeeded && isMost(votes.delayed, votes.held)) {
    return delayedBy(question, late, votes);
  }
  // One delay like another may be the path's, or chance; one unlike another has a reason of its own:
  // a server under a storm of connections is late to accept ours.
  return told(question, late, {});
};

function isLate(one: Experiment, flight: Flight): boolean {
  if (one.repliedMs === null || !isNear(one, flight)) return false;
  const tookMs = askedFor(one, flight);
  const fromMs = Math.max(lateFrom(one), durationOf(flight) * lateShare);
  return tookMs >= fromMs && isMeasured(tookMs, one);
}

const lateFrom = (one: Experiment): number => lateFromMs + pathsLate * (connectTime(one) ?? 0);

const isMost = (votes: number, against: number): boolean =>
  votes > 0 && votes >= (votes + against) * mostShare;

function heldBy(
  question: Question,
  late: Experiment,
  { answer, own }: { readonly answer: Flight; readonly own: Votes },
): Finding {
  const { flight } = question;
  const tookMs = durationOf(answer);
  const apartMs = endsApart(answer, flight);
  // It is known of others only: this one had a reason of its own to wait, or was answered before.
  if (own.held === 0 && apartMs > sameMomentMs) return told(question, late, {});
  // So short an answer ends near a command of 50 ms by chance: the experiment began half way.
  if (tookMs <= promptMs && apartMs > tookMs / 2) return told(question, late, {});
  const isLong = tookMs >= durationOf(flight) * explainsFrom;
  return told(question, late, {
    kind: "server",
    certainty: isLong ? 0.95 : 0.85,
    silentUntilMs: answer.untilMs,
    uncertaintyMs: Math.max(0, answer.sentMs - flight.sentMs),
  });
}

function delayedBy(question: Question, late: Experiment, votes: Votes): Finding {
  const tookMs = askedFor(late, question.flight);
  const ownMs = durationOf(question.flight);
  // The path explains no more than it takes.
  if (ownMs > tookMs * (1 + unevenShare) + lateFromMs) return told(question, late, {});
  const delayMs = roundMs(tookMs);
  const words = `${votes.delayed} commands asked for at other times took as long as the control PING: replies were not held back and let go together, but each was delayed`;
  return told(question, late, {
    kind: "path",
    certainty: 0.85,
    uncertaintyMs: Math.abs(tookMs - ownMs),
    evidence: [
      ...toldBy(late, question),
      { kind: "delay-of-all", says: words, count: votes.delayed, delayMs },
    ],
  });
}
const unevenShare = 0.25;

/** Asked while the command waited, the server answered at once, and the command waited on. */
const byAnswer: Weigh = (question) => {
  const { flight } = question;
  const prompt = question.experiments.find(
    (one) =>
      one.repliedMs !== null &&
      one.startedMs >= flight.sentMs &&
      one.repliedMs - one.startedMs <= promptMs &&
      flight.untilMs - one.repliedMs >= afterwardsMs,
  );
  if (prompt?.repliedMs == null) return null;
  return told(question, prompt, {
    kind: "answering",
    certainty: 0.9,
    answeredMs: prompt.repliedMs,
    answerTookMs: ms(prompt.repliedMs - prompt.startedMs),
  });
};

/** Without an experiment of ours: another connection was answered meanwhile. */
const byPeers: Weigh = (question) => {
  const { flight, peers, command } = question;
  const other = peers.find(
    (peer) =>
      peer.connectionId !== flight.connectionId &&
      peer.sentMs >= flight.sentMs &&
      durationOf(peer) <= promptMs &&
      flight.untilMs - peer.untilMs >= afterwardsMs,
  );
  if (other === undefined) return null;
  const tookMs = roundMs(durationOf(other));
  const says = `the same server answered on another connection in ${tookMs} ms while ${command} waited`;
  const evidence = [{ kind: "answered-others", says, tookMs }];
  return { ...undecided, kind: "answering", certainty: 0.8, evidence };
};
