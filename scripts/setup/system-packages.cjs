// The operating system's packages: installed where that takes no question (Debian and Ubuntu, as root),
// named where it does.

const { existsSync, readFileSync } = require("node:fs");
const { capture, findProgram } = require("./commands.cjs");
const { withProgress } = require("./progress.cjs");

// Debian's redis-server package starts a server on port 6379 and adds a user for it. Its program is in
// redis-tools, which does neither: so we install that, and there is no service to keep from starting.
const managers = {
  debian: {
    install: "sudo apt-get install -y",
    names: {
      redis: ["redis-tools"],
      hiredis: ["libhiredis-dev"],
      compiler: ["gcc", "libc6-dev"],
      rabbitmq: ["rabbitmq-server"],
      browser: ["chromium"],
      prometheus: ["prometheus", "prometheus-alertmanager"],
      accuracy: ["g++", "make", "python3", "librabbitmq-dev", "libpq-dev"],
    },
  },
  fedora: {
    install: "sudo dnf install -y",
    names: {
      redis: ["redis"],
      hiredis: ["hiredis-devel"],
      compiler: ["gcc", "glibc-devel"],
      rabbitmq: ["rabbitmq-server"],
      browser: ["chromium"],
      prometheus: ["golang-github-prometheus", "golang-github-prometheus-alertmanager"],
    },
  },
  alpine: {
    install: "apk add",
    names: {
      redis: ["redis"],
      hiredis: ["hiredis-dev"],
      compiler: ["gcc", "musl-dev"],
      rabbitmq: ["rabbitmq-server"],
      browser: ["chromium"],
      prometheus: ["prometheus", "alertmanager"],
    },
  },
  arch: {
    install: "sudo pacman -S",
    names: {
      redis: ["valkey"],
      hiredis: ["hiredis"],
      compiler: ["gcc"],
      rabbitmq: ["rabbitmq"],
      browser: ["chromium"],
      prometheus: ["prometheus", "alertmanager"],
    },
  },
  suse: {
    install: "sudo zypper install",
    names: {
      redis: ["redis"],
      hiredis: ["hiredis-devel"],
      compiler: ["gcc", "glibc-devel"],
      rabbitmq: ["rabbitmq-server"],
      browser: ["chromium"],
      prometheus: ["golang-github-prometheus-prometheus", "golang-github-prometheus-alertmanager"],
    },
  },
  macos: {
    install: "brew install",
    names: {
      redis: ["redis"],
      hiredis: ["hiredis"],
      compiler: [],
      rabbitmq: ["rabbitmq"],
      browser: ["chromium"],
      prometheus: ["prometheus", "alertmanager"],
    },
  },
};

const families = [
  ["debian", ["debian", "ubuntu"]],
  ["fedora", ["fedora", "rhel", "centos", "amzn"]],
  ["alpine", ["alpine"]],
  ["arch", ["arch"]],
  ["suse", ["suse", "opensuse", "sles"]],
];

/** The command that installs what is lacking ("redis", "hiredis", "compiler", "rabbitmq", "browser", "prometheus") on this system, for a person to type. */
function remedyFor(lacking, family = systemFamily()) {
  const manager = managers[family];
  if (manager === undefined)
    return `install ${lacking.join(", ")} with your system's package manager`;
  const packages = lacking.flatMap((need) => manager.names[need] ?? []);
  const commands = packages.length > 0 ? [`${manager.install} ${packages.join(" ")}`] : [];
  if (manager === managers.macos && lacking.includes("compiler"))
    commands.push("xcode-select --install");
  return commands.join(" && ");
}

/**
 * Installs with apt-get where that is possible without asking anybody.
 * Resolves with null when it did or did not try, and with a sentence when it tried in vain.
 */
async function installOnDebian(lacking) {
  const aptGet = findProgram("apt-get", ["/usr/bin"]);
  if (systemFamily() !== "debian" || aptGet === null || process.getuid() !== 0) return null;
  const packages = lacking.flatMap((need) => managers.debian.names[need]);
  const install = () =>
    runApt(aptGet, ["install", "-y", "--no-install-recommends", ...packages], packages.join(", "));
  let result = await install();
  if (result.status !== 0) {
    // No package lists yet, as in container images, or lists so old that the files have gone.
    await runApt(aptGet, ["update"], "package lists");
    result = await install();
  }
  if (result.status === 0) return null;
  return `apt-get could not install ${packages.join(", ")}:\n${result.tail}`;
}

function runApt(aptGet, args, what) {
  const waitForOthers = ["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0", "-q"];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" };
  return withProgress(`apt-get ${args[0]}: ${what}`, () =>
    capture(aptGet, [...waitForOthers, ...args], { env }),
  );
}

function systemFamily() {
  if (process.platform === "darwin") return "macos";
  if (!existsSync("/etc/os-release")) return "unknown";
  return familyOf(readFileSync("/etc/os-release", "utf8"));
}

/** One of the keys of `managers`, or "unknown"; from os-release(5), ID and ID_LIKE. */
function familyOf(text) {
  const ids = [...text.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap((match) =>
    match[1].split(" "),
  );
  const family = families.find(([, names]) => names.some((name) => ids.includes(name)));
  return family?.[0] ?? "unknown";
}

module.exports = { installOnDebian, remedyFor, familyOf };
