import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ms } from "../../../agent/model/units";
import { createNdjson } from "../../../exporters/ndjson";
import { incident } from "./incidents";

const { O_RDONLY, O_NONBLOCK } = constants;

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "loophound-ndjson-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function harness(path: string) {
  const said: string[] = [];
  let now = 0;
  let dropped = 0;
  const outlet = createNdjson({
    path,
    nowMs: () => ms(now),
    say: (text) => said.push(text),
    onDropped: (count) => {
      dropped += count;
    },
  });
  return {
    outlet,
    said,
    dropped: () => dropped,
    pass: (byMs: number) => {
      now += byMs;
    },
  };
}

const idsIn = (path: string): string[] => idsOf(readFileSync(path, "utf8"));
const idsOf = (text: string): string[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line).id);

describe("createNdjson", () => {
  test("appends one JSON object a line to what is there", () => {
    const path = join(directory, "log");
    const first = harness(path);
    const [a, b] = [incident(), incident({ advice: "two\nlines" })];
    first.outlet.publish(a);
    first.outlet.stop();
    const second = harness(path);
    second.outlet.publish(b);
    second.outlet.stop();
    const lines = readFileSync(path, "utf8").split("\n");
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[0] as string)).toEqual(a);
    expect(JSON.parse(lines[1] as string)).toEqual(b);
    expect([first.said, second.said, second.dropped()]).toEqual([[], [], 0]);
  });

  test("follows a log that was moved away, within a second", () => {
    const path = join(directory, "log");
    const { outlet, pass } = harness(path);
    const [a, b, c] = [incident(), incident(), incident()];
    outlet.publish(a);
    renameSync(path, `${path}.1`);
    pass(999);
    outlet.publish(b);
    pass(1);
    outlet.publish(c);
    expect(idsIn(`${path}.1`)).toEqual([a.id, b.id]);
    expect(idsIn(path)).toEqual([c.id]);
    outlet.stop();
  });

  test("does not make a missing directory, and says so once", () => {
    const path = join(directory, "not", "there", "log");
    const { outlet, said, dropped, pass } = harness(path);
    for (let i = 0; i < 5; i++) {
      outlet.publish(incident());
      pass(2000);
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/not written to .*its directory does not exist.*LOOPHOUND_LOG/);
    expect(dropped()).toBe(5);
    expect(existsSync(join(directory, "not"))).toBe(false);
  });

  test("writes once the directory is there after all", () => {
    const path = join(directory, "later", "log");
    const { outlet, pass } = harness(path);
    mkdirSync(join(directory, "later"));
    pass(1000);
    const late = incident();
    outlet.publish(late);
    expect(idsIn(path)).toEqual([late.id]);
    outlet.stop();
  });

  test("says of a directory that it is one", () => {
    const { outlet, said, dropped } = harness(directory);
    outlet.publish(incident());
    expect(said).toEqual([expect.stringContaining("it is a directory")]);
    expect(dropped()).toBe(1);
  });

  test("a FIFO that nobody reads costs lines, a word, and no waiting; a reader gets the later ones", () => {
    const path = join(directory, "fifo");
    execFileSync("mkfifo", [path]);
    const { outlet, said, dropped, pass } = harness(path);
    outlet.publish(incident());
    expect(said).toEqual([expect.stringContaining("FIFO")]);
    expect(dropped()).toBe(1);
    const reader = openSync(path, O_RDONLY | O_NONBLOCK);
    pass(1000);
    const heard = incident();
    outlet.publish(heard);
    const buffer = Buffer.alloc(65_536);
    expect(idsOf(buffer.toString("utf8", 0, readSync(reader, buffer)))).toEqual([heard.id]);
    closeSync(reader);
    outlet.stop();
  });

  test("a full FIFO loses lines but never mixes them", () => {
    const path = join(directory, "fifo");
    execFileSync("mkfifo", [path]);
    const reader = openSync(path, O_RDONLY | O_NONBLOCK);
    const { outlet, dropped } = harness(path);
    // Longer than PIPE_BUF: such a line may be written in part, pipe(7).
    const long = "x".repeat(9000);
    for (let i = 0; i < 20; i++) outlet.publish(incident({ advice: long }));
    const lost = dropped();
    expect(lost).toBeGreaterThan(0);
    const buffer = Buffer.alloc(1 << 20);
    let length = readSync(reader, buffer);
    const after = incident();
    outlet.publish(after);
    length += readSync(reader, buffer, length, buffer.length - length, null);
    const lines = buffer.toString("utf8", 0, length).split("\n").slice(0, -1);
    const whole = lines.filter((line) => line.endsWith("}")).map((line) => JSON.parse(line).id);
    expect(whole).toHaveLength(20 - lost + 1);
    expect(whole.at(-1)).toBe(after.id);
    closeSync(reader);
    outlet.stop();
  });

  const testOnLinux = process.platform === "linux" ? test : test.skip;
  testOnLinux("a device without room costs lines, counted, and one word", () => {
    const { outlet, said, dropped } = harness("/dev/full");
    outlet.publish(incident());
    outlet.publish(incident());
    expect(said).toEqual([expect.stringContaining("the disk is full")]);
    expect(dropped()).toBe(2);
    outlet.stop();
  });

  test("escapes the path in what it says", () => {
    const { said } = harness(join(directory, "no\u001b[2Jwhere", "log"));
    expect(said[0]).toContain("no\\u001b[2Jwhere");
  });

  test("goes on after the file was removed under it", () => {
    const path = join(directory, "log");
    const { outlet, pass } = harness(path);
    outlet.publish(incident());
    unlinkSync(path);
    pass(1000);
    const later = incident();
    outlet.publish(later);
    expect(idsIn(path)).toEqual([later.id]);
    outlet.stop();
  });
});
