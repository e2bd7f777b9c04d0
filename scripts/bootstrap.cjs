// Everything between a fresh clone and a running command: `node scripts/bootstrap.cjs <command>`.
// Runs before anything is installed, so it needs Node alone; does nothing when nothing has changed.
// Until the version check it keeps to syntax that old Nodes can read, to be able to refuse them.

const nodeMin = [20, 19];

const commands = {
  demo: { needs: ["packages", "build", "servers"], run: (args) => runDemo(args) },
  test: {
    needs: ["packages", "build", "servers", "broker", "browser", "prometheus", "nodes"],
    run: (args) => runTests(args),
  },
  accuracy: {
    needs: ["packages", "build", "servers", "nodes", "accuracy"],
    run: (args) => runAccuracy(args),
  },
  "accuracy:blame": {
    needs: ["packages", "build", "servers"],
    run: (args) => runBlame(args),
  },
  "self-check": { needs: ["packages", "build"], run: (args) => runSelfCheck(args) },
  bench: { needs: ["packages", "build", "servers"], run: (args) => runBench(args) },
  generate: { needs: ["packages", "build", "servers"], run: () => runGenerate() },
  build: { needs: ["packages", "build"], run: () => 0 },
  setup: {
    needs: ["packages", "build", "servers", "broker", "browser", "prometheus", "nodes"],
    run: () => 0,
  },
};

const usage = `usage: node scripts/bootstrap.cjs <command> [arguments]

  demo        set up what is missing, then run the demo (--help for its options)
  test        set up what is missing, then run the tests (arguments go to jest)
  accuracy    set up what is missing, then run the labelled programs (--help for its options)
  accuracy:blame  set up what is missing, then play the scenarios of blame (arguments: words of their names)
  self-check  set up what is missing, then show which evidence this machine gives
  bench       set up what is missing, then measure what the agent costs (arguments: parts of it)
  generate    write the tables of Redis commands anew, from the redis-server of this machine
  build       install the packages and compile
  setup       all of the set-up, and nothing else
`;

function main(argv) {
  const command = commands[argv[0]];
  if (!Object.keys(commands).includes(argv[0]) || nodeIsTooOld()) {
    process.stderr.write(nodeIsTooOld() ? tooOld() : usage);
    process.exitCode = 2;
    return;
  }
  const { prepare } = require("./setup/prepare.cjs");
  prepare(command.needs)
    .then(() => command.run(argv.slice(1)))
    .catch((error) => report(error, argv[0]))
    .then((status) => {
      process.exitCode = status;
    });
}

function nodeIsTooOld() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major < nodeMin[0] || (major === nodeMin[0] && minor < nodeMin[1]);
}

function tooOld() {
  return `loophound needs Node ${nodeMin.join(".")} or later, and this is ${process.version}: install one from https://nodejs.org\n`;
}

function report(error, name) {
  const { SetupError } = require("./setup/setup-error.cjs");
  const expected = error instanceof SetupError;
  process.stderr.write(`\nloophound set-up: ${expected ? error.message : error.stack}\n`);
  if (expected) process.stderr.write(`  what to do: ${error.remedy}\n`);
  // Whoever reads the count of `npm test` must not take a failed set-up for an empty success.
  if (name === "test") process.stdout.write("0 passed, 1 failed\n");
  return 1;
}

function runDemo(args) {
  const { runNode } = require("./setup/run-node.cjs");
  return runNode(["dist/examples/incident/demo.js", ...args]);
}

function runAccuracy(args) {
  const { runNode } = require("./setup/run-node.cjs");
  return runNode(["dist/bench/accuracy/main.js", ...args]);
}

function runBlame(args) {
  const { runNode } = require("./setup/run-node.cjs");
  return runNode(["dist/bench/blame/run.js", ...args]);
}

function runSelfCheck(args) {
  const { runNode } = require("./setup/run-node.cjs");
  return runNode(["dist/agent/cli.js", "self-check", ...args]);
}

function runBench(args) {
  const { runNode } = require("./setup/run-node.cjs");
  return runNode(["dist/bench/overhead/run.js", ...args]);
}

function runGenerate() {
  const { runNode } = require("./setup/run-node.cjs");
  return runNode(["dist/scripts/generate/generate.js"]);
}

function runTests(args) {
  const { runTestSuites } = require("./setup/test-suites.cjs");
  return runTestSuites(args);
}

main(process.argv.slice(2));
