import { expect, test } from "@jest/globals";
import { adviceFor } from "../../../agent/diagnose/advice";
import { causes } from "../../../agent/model/cause";
import { culprit } from "../exporters/incidents";

test("has a sentence for each cause", () => {
  for (const cause of causes) expect(adviceFor(cause, culprit, 0)).toMatch(/\.$/);
});

test("sends nobody to a worker thread who is on one, but to one of its own", () => {
  expect(adviceFor("sync-core-api", culprit, 0)).toMatch(/or a worker thread\.$/);
  for (const cause of causes) {
    expect(adviceFor(cause, culprit, 3)).not.toMatch(/worker thread(?! of its own)/);
  }
});
