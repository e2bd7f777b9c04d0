import { expect, test } from "@jest/globals";
import { createMarkerCell, markerCells } from "../../../agent/base/marker-cell";
import { createNativeNames, forwardedReader } from "../../../agent/watchdog/native-names";

const hash = { module: "bcrypt.node", function: "hashSync" };
const exec = { module: "better_sqlite3.node", function: "Database.exec" };

function markedThread() {
  const cell = createMarkerCell();
  const names = createNativeNames([hash]);
  return { names, mark: markerCells(cell), forwarded: forwardedReader(cell, names) };
}

test("names the function whose number the marker holds, known at the start or announced later", () => {
  const { names, mark, forwarded } = markedThread();
  names.add(2, exec);
  mark[0] = 1;
  expect(forwarded()).toEqual(hash);
  mark[0] = 2;
  expect(forwarded()).toEqual(exec);
});

test("names nothing between calls, nor a number that nobody has announced", () => {
  const { mark, forwarded } = markedThread();
  expect(forwarded()).toBeNull();
  mark[0] = 2;
  expect(forwarded()).toBeNull();
});
