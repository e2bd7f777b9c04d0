// `npm run accuracy:blame [words]`: plays the labelled scenarios, or those whose name has the words, one after
// the other, and prints what the agent said of each.

import { writeFileSync } from "node:fs";
import { argv } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Incident } from "../../agent/model/incident";
import { type Scenario, scenarios } from "./scenarios";
import { type Score, scoreOf } from "./score";
import { openStage } from "./stage";

/** Until then every incident of the fault has been written. */
const settleMs = 1500;

interface Played {
  readonly name: string;
  readonly cause: string | null;
  readonly lengthMs: number;
  readonly score: Score;
  readonly incidents: readonly Incident[];
}

async function play(scenario: Scenario): Promise<Played> {
  const stage = await openStage(scenario);
  try {
    await scenario.prepare?.(stage);
    // What the application did at its start is not judged.
    const before = stage.watched.app.incidents().length;
    const lengthMs = await scenario.play(stage);
    await sleep(settleMs);
    const incidents = stage.watched.app.incidents().slice(before);
    const { cause, part, name } = scenario;
    const spacingMs = Number(scenario.env?.["PERIOD_MS"] ?? 10) / 2;
    const score = scoreOf({ cause, part, lengthMs }, incidents, spacingMs);
    return { name, cause, lengthMs, score, incidents };
  } finally {
    await stage.end();
  }
}

function line({ name, score, lengthMs }: Played): string {
  const verdict = score.isRight ? "right" : "WRONG";
  const error = score.partErrorMs === null ? "" : `${score.partErrorMs.toFixed(1)} ms`;
  const accused = score.falselyAccused.length === 0 ? "" : `  accused: ${score.falselyAccused}`;
  const part = score.isPartRight === false ? "  PART" : "";
  return `${verdict}  ${name.padEnd(52)} ${lengthMs.toFixed(0).padStart(5)} ms  said ${score.said.padEnd(15)} ${error}${part}${accused}`;
}

function summary(played: readonly Played[]): string {
  const count = (holds: (one: Score) => boolean): number =>
    played.filter(({ score }) => holds(score)).length;
  const judged = count(({ isPartRight }) => isPartRight !== null);
  return [
    `${count(({ isRight }) => isRight)} of ${played.length} scenarios right`,
    `${count(({ falselyAccused }) => falselyAccused.length > 0)} with a false accusation`,
    `${count(({ isPartRight }) => isPartRight === true)} of ${judged} parts within 10 % or 5 ms of the truth`,
    `${count(({ areSumsExact }) => areSumsExact)} of ${played.length} with exact sums`,
  ].join("; ");
}

async function main(words: readonly string[]): Promise<void> {
  const wanted = scenarios.filter(({ name }) => words.every((word) => name.includes(word)));
  const played: Played[] = [];
  for (const scenario of wanted) {
    const one = await play(scenario);
    played.push(one);
    console.log(line(one));
    writeFileSync(".loophound/blame.json", JSON.stringify(played, null, 1));
  }
  console.log(summary(played));
}

void main(argv.slice(2));
