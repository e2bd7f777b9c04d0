import { expect, test } from "@jest/globals";
import { prefersOpenMetrics } from "../../../exporters/accept";

// Prometheus 2.x and 3.x, as they ask by default.
const prometheus2 =
  "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
const prometheus3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

test.each([
  [prometheus2, true],
  [prometheus3, true],
  ["application/openmetrics-text", true],
  ["APPLICATION/OpenMetrics-Text; Version=1.0.0", true],
  ["text/plain;q=0.9, application/openmetrics-text;q=0.5", false],
  ["application/openmetrics-text;version=2.0.0", false],
  ["application/openmetrics-text;q=0", false],
  ["application/openmetrics-text;q=nonsense", false],
  ["text/html,application/xhtml+xml,*/*;q=0.8", false],
  ["*/*", false],
  ["", false],
  [undefined, false],
  [",;,=;q=;;;", false],
])("Accept: %j prefers OpenMetrics: %j", (accept, isPreferred) => {
  expect(prefersOpenMetrics(accept)).toBe(isPreferred);
});
