// Says for each piece of a stall who had the thread: an addon, a function of Node, the module loader or
// a script. Pure. What cannot be told has no owner.

import type { Sighting, StallEvidence } from "../model/evidence";
import type { JsExit, JsFrame, ThreadStack } from "../model/stack";
import { hasAnsweredPromptly, jsPieces } from "./answers";
import { isSynchronous, languageFunction, type Named, nativeApi, publicApi } from "./core-api";
import {
  coreFrames,
  isAtomicsWait,
  isCollecting,
  isCore,
  isOwn,
  isScripted,
  loadingOf,
  nativeCulprit,
  packageOf,
} from "./frames";

export type OwnerKind = "addon" | "core" | "loader" | "script";

/** Who had the thread, and what proves it. */
export interface Owner {
  readonly kind: OwnerKind;
  readonly named: Named;
  /** JavaScript from there outwards, innermost first: the site is looked for in it. */
  readonly js: readonly JsFrame[];
  /** How often it should be right, 0 to 1. */
  readonly certainty: number;
}

/** A piece of the stall with its owner. */
export interface Piece {
  readonly owner: Owner;
  readonly weightMs: number;
  readonly isOnCpu: boolean;
  /** null: a piece of running JavaScript, which no one sighting stands for. */
  readonly sighting: Sighting | null;
}

/** A stack that was unwound proves its frames; a scanned one may show a frame that is gone. */
const provenCertainty = 0.98;
const guessedCertainty = 0.7;
/** A forwarder's marker says which function was entered and has not returned. */
const markedCertainty = 0.95;
/** V8 itself gave the stack, at some instants of the time that it stands for. */
const answeredCertainty = 0.95;

export function piecesOf(evidence: StallEvidence): readonly Piece[] {
  const aliases = allFrames(evidence);
  const onCpuPart = onCpuPartOf(evidence);
  const seen = evidence.sightings.flatMap((sighting): Piece[] => {
    const isOnCpu = sighting.call === null;
    const owner = isOnCpu ? runningOwner(sighting, evidence) : blockedOwner(sighting, evidence);
    const weightMs = sighting.weightMs * (isOnCpu ? onCpuPart : 1);
    return owner === null ? [] : [{ owner, weightMs, isOnCpu, sighting }];
  });
  const told = jsPieces(evidence).map(({ js, weightMs }): Piece | null => {
    const owner = scriptOwner(js, null, aliases);
    if (owner === null) return null;
    return { owner, weightMs: weightMs * onCpuPart, isOnCpu: true, sighting: null };
  });
  return [...seen, ...told.filter((piece) => piece !== null)];
}

/** By whatever frame V8 or its memory told the name of a wrapper of Node's, the others are known too. */
const allFrames = (evidence: StallEvidence): readonly JsFrame[] => stacksOf(evidence).flat();

const stacksOf = ({ interrupts, sightings }: StallEvidence): readonly (readonly JsFrame[])[] => [
  ...interrupts.map(({ js }) => js),
  ...sightings.map(({ stack }) => stack?.js ?? []),
];

/** Samples count a thread that waits for a CPU, collects garbage or is stopped as one that runs. */
function onCpuPartOf(evidence: StallEvidence): number {
  const sampledMs = evidence.sightings
    .filter(({ call }) => call === null)
    .reduce((sum, { weightMs }) => sum + weightMs, 0);
  if (evidence.onCpuMs === null || sampledMs === 0) return 1;
  const collectedMs = evidence.gc.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return Math.min(1, Math.max(0, evidence.onCpuMs - collectedMs) / sampledMs);
}

function blockedOwner(sighting: Sighting, evidence: StallEvidence): Owner | null {
  const { stack, forwarded } = sighting;
  // Short calls in quick succession: the thread was gone before its stack was read.
  if (stack === null) return unreadOwner(forwarded, evidence);
  if (isCollecting(stack)) return null;
  const { js } = stack;
  const native = nativeCulprit(stack, evidence.executable);
  if (native !== null) {
    const certainty = native.isGuess ? guessedCertainty : provenCertainty;
    return { kind: "addon", named: native, js, certainty };
  }
  const aliases = allFrames(evidence);
  return (
    loaderOwner(js) ?? coreOwner(coreFrames(js), js, aliases, provenCertainty) ?? waiting(stack)
  );
}

function waiting(stack: ThreadStack): Owner | null {
  if (!isAtomicsWait(stack)) return null;
  const named = { module: null, symbol: "Atomics.wait" };
  return { kind: "core", named, js: stack.js, certainty: provenCertainty };
}

function runningOwner(sighting: Sighting, evidence: StallEvidence): Owner | null {
  const { stack, forwarded, running } = sighting;
  // Where V8's isolate cannot be read, silence tells native code.
  const isSilent = running === null && forwarded !== null && !hasAnsweredPromptly(evidence);
  if (running !== "native" && !isSilent) return null;
  if (stack === null) return unreadOwner(forwarded, evidence);
  return exitOwner(stack, forwarded, evidence);
}

/** Native code that JavaScript called, by where JavaScript was left and what for. */
function exitOwner(
  stack: ThreadStack,
  forwarded: Sighting["forwarded"],
  evidence: StallEvidence,
): Owner | null {
  const aliases = allFrames(evidence);
  const { js, exit = null, native } = stack;
  // A function of an addon may have called back JavaScript that V8 works for now.
  if (exit === "runtime" || exit === "builtin") return scriptOwner(js, exit, aliases);
  const called = nativeCulprit(stack, evidence.executable);
  if (called !== null) return calledOwner(called, forwarded, js);
  const isMarked = forwarded !== null && !isCalledBack(js);
  if (isMarked && native.length === 0) return markedOwner(forwarded, js);
  if (exit === null) return scriptOwner(js, exit, aliases);
  return (
    loaderOwner(js) ?? coreOwner(coreFrames(js), js, aliases, provenCertainty) ?? ofNode(stack)
  );
}

/** The marker stays set while an addon calls back JavaScript: then it tells nothing of what that does. */
const unreadOwner = (forwarded: Sighting["forwarded"], evidence: StallEvidence): Owner | null =>
  forwarded === null || stacksOf(evidence).some(isCalledBack) ? null : markedOwner(forwarded, []);

/** True if JavaScript stands inside of the innermost call that a forwarder made. */
function isCalledBack(js: readonly JsFrame[]): boolean {
  const at = js.findIndex(isOwn);
  return js.slice(0, Math.max(0, at)).some((frame) => isScripted(frame) || isCore(frame));
}

/** The function that JavaScript called lies in an addon; a forwarder knows it by its full name. */
function calledOwner(
  called: Named,
  forwarded: Sighting["forwarded"],
  js: readonly JsFrame[],
): Owner {
  const isSame = forwarded !== null && forwarded.module === called.module;
  const named = { module: called.module, symbol: isSame ? forwarded.function : called.symbol };
  return { kind: "addon", named, js, certainty: provenCertainty };
}

/** A function of Node that a script calls without JavaScript of Node between them. */
function ofNode({ native, js }: ThreadStack): Owner | null {
  const symbol = native[0]?.symbol ?? null;
  if (symbol === null) return null;
  return { kind: "core", named: nativeApi(symbol), js, certainty: provenCertainty };
}

const markedOwner = (
  forwarded: NonNullable<Sighting["forwarded"]>,
  js: readonly JsFrame[],
): Owner => ({
  kind: "addon",
  named: { module: forwarded.module, symbol: forwarded.function },
  js,
  certainty: markedCertainty,
});

function coreOwner(
  frames: readonly JsFrame[],
  js: readonly JsFrame[],
  aliases: readonly JsFrame[],
  certainty: number,
): Owner | null {
  // Without a caller it is how Node turns the loop or runs promise jobs, and no function of anybody's.
  const named = js.some(isScripted) ? publicApi(frames, aliases) : null;
  return named === null ? null : { kind: "core", named, js, certainty };
}

function loaderOwner(js: readonly JsFrame[]): Owner | null {
  const loading = loadingOf(js);
  if (loading === null) return null;
  const named = { module: null, symbol: loading.isImport ? "import" : "require" };
  return { kind: "loader", named, js: loading.outside, certainty: provenCertainty };
}

/** JavaScript that ran, or V8 on its behalf. Node's own counts as the API if that is a synchronous one. */
function scriptOwner(
  js: readonly JsFrame[],
  exit: JsExit | null,
  aliases: readonly JsFrame[],
): Owner | null {
  const loader = loaderOwner(js);
  if (loader !== null) return loader;
  if (exit === null && js.length === 0) return null;
  const core = coreOwner(coreFrames(js), js, aliases, answeredCertainty);
  if (core !== null) return isSynchronous(core.named) ? core : { ...core, kind: "script" };
  const named = js.some(isScripted) ? scriptName(js) : { module: null, symbol: null };
  return { kind: "script", named, js, certainty: answeredCertainty };
}

/** The innermost function that has a name, and the package of the innermost script. */
function scriptName(js: readonly JsFrame[]): Named {
  const frames = js.filter((frame) => !isOwn(frame));
  const innermost = frames.find(({ script }) => script !== null);
  const until = innermost === undefined ? frames.length : frames.indexOf(innermost) + 1;
  const [named] = frames.slice(0, until).filter(({ functionName }) => functionName !== null);
  const name = named?.functionName ?? null;
  return {
    module: innermost === undefined ? null : packageOf(innermost),
    symbol: name !== null && named?.script === null ? languageFunction(name) : name,
  };
}
