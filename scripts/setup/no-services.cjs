// Debian starts a service as soon as its package is installed. A server on its usual port is nothing that
// a test run may leave behind, so this keeps packages from starting any.
// https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt

const { chmodSync, rmSync, writeFileSync } = require("node:fs");
const { capture, isProgram } = require("./commands.cjs");

const policyFile = "/usr/sbin/policy-rc.d";
/** Status by which the policy forbids an action. */
const forbidden = 101;
const policyText = `#!/bin/sh\nexit ${forbidden}\n`;

/**
 * Runs `install`, and resolves as it does, while `service` may not be started. Where the machine has a
 * policy of its own that would let it start, nothing is run, and it resolves with a sentence.
 */
async function withoutServices(service, install, file = policyFile) {
  if (isProgram(file)) {
    const { status } = await capture(file, [service, "start"]);
    if (status === forbidden) return install();
    return `${file} lets packages start services, and installing ${service} would start one`;
  }
  if (!writePolicy(file)) return install();
  const remove = () => rmSync(file, { force: true });
  process.once("exit", remove);
  try {
    return await install();
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** False where it cannot be written: then nothing can be installed either. */
function writePolicy(file) {
  try {
    writeFileSync(file, policyText, { flag: "wx" });
    chmodSync(file, 0o755);
    return true;
  } catch {
    return false;
  }
}

module.exports = { withoutServices };
