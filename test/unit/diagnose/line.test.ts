import { expect, test } from "@jest/globals";
import { type Line, type LineWait, standingOf } from "../../../agent/diagnose/line";
import type { Finding } from "../../../agent/diagnose/server-word";
import { ms } from "../../../agent/model/units";

const finding = (kind: Finding["kind"]): Finding => ({
  kind,
  certainty: 0.9,
  connectMs: 0.2,
  silentUntilMs: null,
  answeredMs: null,
  answerTookMs: null,
  uncertaintyMs: 0,
  evidence: [],
});
const answering = finding("answering");

const wait = (kind: LineWait["kind"], command: string, start: number, end: number): LineWait => ({
  kind,
  command,
  startMs: ms(start),
  endMs: ms(end),
});

const line = (changes: Partial<Line>): Line => ({
  ahead: 3,
  previousRepliedMs: ms(1390),
  waits: [],
  ...changes,
});

/** Of a command sent at 1000 and answered at 1400. */
const standing = (of: Line | null, said: Finding | null) =>
  standingOf(of, ms(1000), ms(1400), said);

test("behind a command that waits on purpose it stands in line, whatever the server does", () => {
  const blpop = wait("on-purpose", "BLPOP", 900, 1390);
  const { behind, evidence } = standing(line({ waits: [blpop] }), null);
  expect(behind).toEqual([{ startMs: 1000, endMs: 1390 }]);
  expect(evidence[0]?.says).toContain("behind BLPOP");
});

test("behind many, while the server answers others, it waits for its own client's", () => {
  const { behind, evidence } = standing(line({ ahead: 5000 }), answering);
  expect(behind).toEqual([{ startMs: 1000, endMs: 1390 }]);
  expect(evidence[0]).toMatchObject({ kind: "commands-ahead", ahead: 5000 });
});

test("behind a huge reply, while the server answers others, it stands in line", () => {
  const lrange = wait("costly", "LRANGE", 1001, 1389);
  const { behind, evidence } = standing(line({ waits: [lrange] }), answering);
  expect(behind).toEqual([{ startMs: 1000, endMs: 1390 }]);
  expect(evidence[0]?.says).toContain("behind LRANGE");
});

test("a command of constant cost ahead that waited itself explains nothing", () => {
  const expire = wait("cheap", "EXPIRE", 1000, 1390);
  expect(standing(line({ waits: [expire] }), answering).behind).toEqual([]);
  const half = wait("cheap", "EXPIRE", 1100, 1200);
  expect(standing(line({ waits: [half] }), answering).behind).toEqual([
    { startMs: 1000, endMs: 1100 },
    { startMs: 1200, endMs: 1390 },
  ]);
});

test("behind others that all wait for one server, or one path, it does not stand in line", () => {
  for (const said of [finding("server"), finding("path"), finding("nothing"), null]) {
    expect(standing(line({}), said).behind).toEqual([]);
  }
});

test("with nobody ahead, or where that is not known, there is no line", () => {
  expect(standing(line({ ahead: 0 }), answering).behind).toEqual([]);
  expect(standing(null, answering).behind).toEqual([]);
});
