import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import { readPageAssets } from "../../../../exporters/page/assets";
import { reportDocument } from "../../../../exporters/page/document";
import { summarize } from "../../../../exporters/page/summarize";
import { incident } from "../incidents";

const assets = { style: "p{}", script: "draw()" };
const dataOf = (advice: string) =>
  summarize([incident({ advice })], { title: "t", madeEpochMs: 0, notes: [] });

test("the policy allows the style and the script in the page, and no other source", () => {
  const page = reportDocument(dataOf(""), assets);
  const hash = (text: string): string => createHash("sha256").update(text).digest("base64");
  expect(page).toContain(`style-src 'sha256-${hash("p{}")}'`);
  expect(page).toContain(`script-src 'sha256-${hash("draw()")}'`);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/\b(src|href)="(?!data:,")/);
});

test("data can neither end its element nor begin another", () => {
  const hostile = "</script><script>alert(1)</script><!-- & \u2028";
  const page = reportDocument(dataOf(hostile), assets);
  expect(page.match(/<\/?script/g)).toHaveLength(4);
  const json = /id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? "";
  expect(JSON.parse(json).incidents[0].advice).toBe(hostile);
});

test("the build lays script and style beside the document, and neither ends its own element", () => {
  const { style, script } = readPageAssets("report");
  expect(style.length).toBeGreaterThan(1000);
  expect(script.length).toBeGreaterThan(1000);
  expect(style + script).not.toMatch(/<\/(style|script)|<!--/i);
});
