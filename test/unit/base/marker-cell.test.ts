import { expect, test } from "@jest/globals";
import {
  createMarkerCell,
  markerCells,
  markerReader,
  noFunctionId,
} from "../../../agent/base/marker-cell";

test("a fresh marker says that no forwarded call is under way", () => {
  expect(markerReader(createMarkerCell())()).toBe(noFunctionId);
});

test("the reader sees what the forwarders store, through another view of the same memory", () => {
  const cell = createMarkerCell();
  const read = markerReader(cell);
  markerCells(cell)[0] = 4096;
  expect(read()).toBe(4096);
  markerCells(cell)[0] = noFunctionId;
  expect(read()).toBe(noFunctionId);
});
