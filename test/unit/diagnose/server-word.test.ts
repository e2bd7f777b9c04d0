import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import type { Flight } from "../../../agent/diagnose/held-or-delayed";
import { askDuringStall, askServer, type Question } from "../../../agent/diagnose/server-word";
import type { Experiment } from "../../../agent/model/experiment";
import { type Ms, ms } from "../../../agent/model/units";

const msOrNull = (value: number | null): Ms | null => (value === null ? null : ms(value));

function experiment(
  startedMs: number,
  connectedMs: number | null,
  repliedMs: number | null,
  changes: Partial<Experiment> = {},
): Experiment {
  return {
    server: "10.0.0.5:6379",
    startedMs: ms(startedMs),
    connectedMs: msOrNull(connectedMs),
    repliedMs: msOrNull(repliedMs),
    answer: repliedMs === null ? null : "pong",
    endedMs: msOrNull(repliedMs),
    failure: null,
    lateMs: ms(0.5),
    ...changes,
  };
}

const flight = (sentMs: number, untilMs: number, connectionId = 1): Flight => ({
  connectionId,
  sentMs: ms(sentMs),
  untilMs: ms(untilMs),
});

/** EXPIRE, sent at 1000 and answered at 1400. */
const question = (changes: Partial<Question>): Question => ({
  command: "EXPIRE",
  flight: flight(1000, 1400),
  isOpen: false,
  experiments: [],
  peers: [],
  ...changes,
});

describe("a server", () => {
  test("that let go of the experiment's answer and the command's together held them", () => {
    const finding = askServer(question({ experiments: [experiment(1030, 1031, 1401)] }));
    expect(finding).toMatchObject({ kind: "server", certainty: 0.95, silentUntilMs: 1401 });
    expect(finding.evidence.map(({ kind }) => kind)).toEqual(["control-connect", "control-ping"]);
    expect(finding.evidence[1]?.says).toBe(
      "a control PING sent 31 ms after EXPIRE was answered after 370 ms, at the same moment",
    );
  });

  test.each([
    [1052, 1032.3],
    [1050.5, 1038],
    [1060, 1039.3],
    [1070, 1049],
  ])(
    "that answered a PING soon, and not at the moment of a command's answer at %s, held nothing",
    (untilMs, repliedMs) => {
      const short = { flight: flight(1000, untilMs) };
      const experiments = [experiment(1025, 1025.3, repliedMs)];
      expect(askServer(question({ ...short, experiments })).kind).toBe("nothing");
    },
  );

  test("that held both for a short while let them go together", () => {
    const short = { flight: flight(1000, 1048) };
    const experiments = [experiment(1025, 1025.3, 1047.5)];
    expect(askServer(question({ ...short, experiments })).kind).toBe("server");
  });

  test("that worked off a backlog after a long silence held them all", () => {
    const long = { flight: flight(1000, 2040) };
    const experiments = [experiment(1500, 1500.3, 2000)];
    expect(askServer(question({ ...long, experiments })).kind).toBe("server");
  });

  test("that held others had answered this command long before", () => {
    const experiments = [experiment(1025, 1025.3, 1600)];
    const peers = [1100, 1200, 1300, 1400, 1450].map((sent) => flight(sent, 1600, 2));
    const before = { flight: flight(1000, 1100), experiments, peers };
    expect(askServer(question(before)).kind).toBe("nothing");
  });

  test("that has answered neither for long is silent, while the command is open", () => {
    const open = { isOpen: true, flight: flight(1000, 3000) };
    const finding = askServer(question({ ...open, experiments: [experiment(1030, 1031, null)] }));
    expect(finding).toMatchObject({ kind: "server", silentUntilMs: 3000 });
  });

  test("is not called silent while it answers others, or just after it was asked", () => {
    const open = { isOpen: true, flight: flight(1000, 3000) };
    const experiments = [experiment(1030, 1031, null)];
    const peers = [flight(1500, 1600, 2)];
    expect(askServer(question({ ...open, experiments, peers })).kind).not.toBe("server");
    const justAsked = [experiment(2900, 2901, null)];
    expect(askServer(question({ ...open, experiments: justAsked })).kind).toBe("nothing");
  });

  test("that answers a PING at once while a command waits is not what it waits for", () => {
    const finding = askServer(question({ experiments: [experiment(1030, 1030.4, 1030.7)] }));
    expect(finding).toMatchObject({ kind: "answering", answeredMs: 1030.7 });
  });

  test("that answered before the command was sent, or just as it was, proves nothing", () => {
    for (const one of [experiment(950, 951, 952), experiment(1395, 1395.5, 1396)]) {
      expect(askServer(question({ experiments: [one] })).kind).toBe("nothing");
    }
  });

  test("without an experiment is known to answer by what other connections got", () => {
    const peers = [flight(1100, 1101, 2)];
    expect(askServer(question({ peers }))).toMatchObject({ kind: "answering" });
    const sameConnection = [flight(1100, 1101, 1)];
    expect(askServer(question({ peers: sameConnection })).kind).toBe("nothing");
  });
});

describe("a path", () => {
  const peers = [1050, 1100, 1150, 1200].map((sent) => flight(sent, sent + 400));
  const experiments = [experiment(1030, 1030.5, 1431)];

  test("that delays every answer alike is long, and the server is not accused", () => {
    const finding = askServer(question({ experiments, peers }));
    expect(finding).toMatchObject({ kind: "path", silentUntilMs: null });
    expect(finding.evidence.at(-1)).toMatchObject({ kind: "delay-of-all", count: 5 });
  });

  test("is not accused on one delay like another, which may be chance", () => {
    expect(askServer(question({ experiments })).kind).toBe("nothing");
  });

  test("is known from an experiment a moment ago, but explains no more than it takes", () => {
    const later = { experiments, peers, flight: flight(1700, 2110) };
    expect(askServer(question(later)).kind).toBe("path");
    expect(askServer(question({ ...later, flight: flight(1700, 2900) })).kind).toBe("nothing");
  });

  test("is slow if even the connect was", () => {
    const slow = experiment(1030, 1230, 1430);
    expect(askServer(question({ experiments: [slow] }))).toMatchObject({
      kind: "path",
      connectMs: 200,
    });
    const never = experiment(1030, null, null);
    expect(askServer(question({ experiments: [never] }))).toMatchObject({ kind: "path" });
  });

  test("that lost one SYN before the command was sent is not slow if a later connect was prompt", () => {
    const lost = experiment(-100, 940, 940.3);
    const later = experiment(1030, 1030.3, 1420);
    const command = { flight: flight(1000, 1420) };
    const both = question({ ...command, experiments: [lost, later] });
    expect(askServer(both).kind).toBe("server");
    expect(askDuringStall(both, null).kind).toBe("nothing");
    expect(askServer(question({ ...command, experiments: [lost] })).kind).toBe("path");
  });

  test("that was slow while the command waited stays so, though it is prompt by the end", () => {
    const experiments = [experiment(1025, 2050, 2050.3), experiment(2060, 2060.3, 2060.6)];
    const command = { flight: flight(1000, 2200) };
    expect(askServer(question({ ...command, experiments })).kind).toBe("path");
  });

  test("that refuses a connection is not slow", () => {
    const refused = experiment(1030, null, null, { endedMs: ms(1031), failure: "ECONNREFUSED" });
    expect(askServer(question({ experiments: [refused] })).kind).toBe("nothing");
  });
});

test("an answer that came late at another moment, unlike the command's, proves nothing against the server", () => {
  const finding = askServer(question({ experiments: [experiment(1030, 1031, 1320)] }));
  expect(finding.kind).toBe("nothing");
});

test("an experiment that was late itself proves nothing against anybody, and says so", () => {
  const late = { lateMs: ms(200) };
  for (const one of [experiment(1030, 1031, 1401, late), experiment(1030, 1230, 1231, late)]) {
    const finding = askServer(question({ experiments: [one] }));
    expect(finding.kind).toBe("nothing");
  }
  const [, ping] = askServer(
    question({ experiments: [experiment(1030, 1031, 1401, late)] }),
  ).evidence;
  expect(ping?.says).toContain("the watchdog itself was late by 200 ms");
});

describe("during a stall, when replies are read late", () => {
  test("a server that is suddenly silent was silent until it answered the experiment", () => {
    const asked = question({ experiments: [experiment(1030, 1031, 1200)] });
    expect(askDuringStall(asked, ms(0.3))).toMatchObject({ kind: "server", silentUntilMs: 1200 });
    expect(askDuringStall(asked, null)).toMatchObject({ kind: "nothing", silentUntilMs: 1200 });
    expect(askDuringStall(asked, ms(150))).toMatchObject({ kind: "nothing" });
  });

  test("a short silence does not speak for the time before it", () => {
    const short = question({ experiments: [experiment(1053, 1053.5, 1062)] });
    expect(askDuringStall(short, ms(0.1))).toMatchObject({
      kind: "answering",
      silentUntilMs: null,
    });
    const late = question({ experiments: [experiment(1300, 1301, 1340)] });
    expect(askDuringStall(late, ms(0.1)).kind).not.toBe("server");
  });

  test("a server that answered at once is not", () => {
    const asked = question({ experiments: [experiment(1030, 1031, 1032)] });
    expect(askDuringStall(asked, ms(0.3))).toMatchObject({ kind: "answering", answeredMs: 1032 });
  });
});

test("nothing is proven against anybody without an experiment, whatever the peers", () => {
  const time = fc.double({ min: 0, max: 3000, noNaN: true });
  const peer = fc
    .tuple(time, time, fc.integer({ min: 1, max: 3 }))
    .map(([a, b, id]) => flight(Math.min(a, b), Math.max(a, b), id));
  fc.assert(
    fc.property(fc.array(peer), fc.boolean(), (peers, isOpen) => {
      const { kind } = askServer(question({ peers, isOpen }));
      expect(["answering", "nothing"]).toContain(kind);
    }),
  );
});
