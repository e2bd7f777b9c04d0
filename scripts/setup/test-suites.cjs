// `npm test`: the pure tests side by side, then the ones that start servers and watch real processes one
// after another, because those measure a machine that they want to themselves. Ends with the count of both.

const { readFileSync, rmSync } = require("node:fs");
const { inRepository, inState } = require("./paths.cjs");
const { runNode } = require("./run-node.cjs");

/** Jest projects of package.json. Time-outs are safety rails, so they are generous. */
const suites = [
  { project: "unit", flags: ["--maxWorkers=100%", "--testTimeout=30000"] },
  { project: "machine", flags: ["--runInBand", "--testTimeout=120000"] },
];

/** Runs both suites with the user's arguments added; prints `N passed, N failed`; resolves with the exit status. */
async function runTestSuites(args) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const suite of suites) {
    const counts = await runSuite(suite, args.map(compiledPath));
    if (counts === null) return 0;
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  if (total.passed + total.failed === 0) {
    process.stderr.write("no test ran: nothing matches, or nothing was found in dist/test\n");
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

/** `npm test -- test/unit/x.test.ts` means the compiled file. */
const compiledPath = (arg) => arg.replace(/^(?:\.\/)?(test\/.*)\.ts$/, "dist/$1.js");

/** Null when jest was asked for something else than running tests (--help, --listTests). */
async function runSuite({ project, flags }, args) {
  const resultFile = inState(`jest-${project}.json`);
  rmSync(resultFile, { force: true });
  const jest = inRepository("node_modules", "jest", "bin", "jest.js");
  process.stderr.write(`\n== ${project} tests\n`);
  const status = await runNode([
    jest,
    ...["--selectProjects", project, "--passWithNoTests", ...flags],
    ...["--json", `--outputFile=${resultFile}`],
    ...args,
  ]);
  const result = readResult(resultFile);
  if (result === null && status === 0) return null;
  return count(result, status);
}

function readResult(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

/** A file that could not be loaded counts as one failure, and so does a run that failed without a failed test. */
function count(result, status) {
  if (result === null) return { passed: 0, failed: 1, skipped: 0 };
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

module.exports = { runTestSuites, compiledPath, count };
