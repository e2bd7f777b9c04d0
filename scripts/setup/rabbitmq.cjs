// A RabbitMQ broker's programs: only for `npm test`, which starts private brokers with them. Running
// ones are never looked at.

const { existsSync, lstatSync, realpathSync, rmSync, symlinkSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { findProgram, isProgram } = require("./commands.cjs");
const { withoutServices } = require("./no-services.cjs");
const { inState } = require("./paths.cjs");
const { SetupError } = require("./setup-error.cjs");
const { installOnDebian, remedyFor } = require("./system-packages.cjs");

// Where packages keep the scripts themselves. What they put on the PATH is often a wrapper that becomes
// another user and uses that user's folders, and such a one cannot start a private broker.
const commonFolders = [
  "/usr/lib/rabbitmq/bin",
  "/usr/lib/rabbitmq/sbin",
  "/opt/homebrew/opt/rabbitmq/sbin",
  "/usr/local/opt/rabbitmq/sbin",
  "/opt/rabbitmq/sbin",
];

/** Erlang's own programs, which the scripts of RabbitMQ look for on the PATH. */
const erlangPrograms = ["erl", "epmd"];

/** Finds RabbitMQ, or installs it without starting it; rejects when there is none in the end. */
async function prepareBroker() {
  if (linkBroker()) return;
  const complaint = await withoutServices("rabbitmq-server", () => installOnDebian(["rabbitmq"]));
  if (linkBroker()) return;
  throw new SetupError(
    complaint ?? "there is no RabbitMQ on this machine, and the tests of the AMQP clients need one",
    `${remedyFor(["rabbitmq"])}; or set RABBITMQ_SERVER_PATH=/path/to/sbin/rabbitmq-server`,
  );
}

/**
 * Makes .loophound/bin/rabbitmq point to the folder of RabbitMQ's scripts, where
 * test/support/rabbitmq-server.ts looks. Returns whether there is one.
 */
function linkBroker() {
  const named = process.env.RABBITMQ_SERVER_PATH ?? "";
  if (named !== "") return checkNamed(named);
  const folder = brokerFolder();
  if (folder === null) return false;
  const link = inState("bin", "rabbitmq");
  if (existsSync(link) && realpathSync(link) === folder) return true;
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
  symlinkSync(folder, link);
  return true;
}

function checkNamed(path) {
  if (isComplete(dirname(path))) return true;
  throw new SetupError(
    `RABBITMQ_SERVER_PATH=${path} does not stand beside rabbitmqctl and rabbitmq-env`,
    "name the script in RabbitMQ's own sbin folder, or unset it",
  );
}

function brokerFolder() {
  if (!erlangPrograms.every((name) => findProgram(name, ["/usr/bin", "/usr/local/bin"])))
    return null;
  const onPath = findProgram("rabbitmq-server", ["/usr/sbin"]);
  const folders = [...commonFolders, ...(onPath === null ? [] : [dirname(realpathSync(onPath))])];
  const found = folders.find(isComplete);
  return found === undefined ? null : realpathSync(found);
}

/** rabbitmq-env stands only beside the scripts, never beside a wrapper. */
const isComplete = (folder) =>
  existsSync(join(folder, "rabbitmq-env")) &&
  ["rabbitmq-server", "rabbitmqctl"].every((name) => isProgram(join(folder, name)));

module.exports = { prepareBroker };
