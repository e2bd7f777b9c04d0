// A private, real RabbitMQ broker: own node name, own folder, own free ports on 127.0.0.1, an epmd of
// its own, ended by process id. Never a broker that was already there. It takes some five seconds to
// start: share one within a test file.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port";
import { type GuardedProcess, startGuarded } from "./guarded-process";

/** Five seconds on an idle machine; this is for one that is very busy. */
const readyTimeoutMs = 90_000;
const lookEveryMs = 100;
const logTailChars = 800;
const nodeName = "loophound@localhost";

export interface RabbitServerOptions {
  /** Lines of rabbitmq.conf that are added after our own. */
  readonly config?: readonly string[];
}

export interface RabbitServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly pid: number;
  /** With the credentials that every new broker has; `query` as in `heartbeat=1`. */
  url(query?: string): string;
  /** Runs `rabbitmqctl` on this broker, which takes about two seconds; resolves with what it prints. */
  ctl(...args: readonly string[]): Promise<string>;
  /** What it has logged so far. */
  log(): string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends broker and epmd by their process ids, and removes the folder. Harmless when called twice. */
  stop(): Promise<void>;
}

/** Resolves when the broker accepts connections; rejects with the end of its log when it does not start. */
export async function startRabbitServer(options: RabbitServerOptions = {}): Promise<RabbitServer> {
  const folder = findRabbitFolder();
  if (folder === null) {
    throw new Error("no RabbitMQ found: set RABBITMQ_SERVER_PATH, or run `npm test` to set it up");
  }
  const directory = mkdtempSync(join(tmpdir(), "loophound-rabbitmq-"));
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(join(directory, "rabbitmq.conf"), configText(port, options.config ?? []));
  writeFileSync(join(directory, "enabled_plugins"), "[].\n");
  const env = environment(directory, { port, distPort, epmdPort });
  const errors = join(directory, "errors.txt");
  const start = (args: readonly string[]) =>
    startGuarded("/usr/bin/env", [...asArguments(env), ...args], directory, errors);
  const epmd = await start(["epmd", "-port", `${epmdPort}`, "-address", "127.0.0.1"]);
  // RABBITMQ_ALLOW_INPUT: the script becomes the broker, so that the process id is the broker's own.
  const broker = await start([join(folder, "rabbitmq-server"), "-noinput"]);
  const server = serverOf({ folder, directory, port, env, broker, epmd });
  try {
    await untilItAccepts(broker, server);
  } catch (error) {
    const why = `${(error as Error).message}; ${server.log().slice(-logTailChars)}`;
    await server.stop();
    throw new Error(`RabbitMQ did not start: ${why}`);
  }
  return server;
}

/** RABBITMQ_SERVER_PATH, else what scripts/bootstrap.cjs found; the folder of RabbitMQ's scripts. */
function findRabbitFolder(): string | null {
  const named = process.env["RABBITMQ_SERVER_PATH"];
  if (named !== undefined && named !== "") return dirname(named);
  const linked = join(__dirname, "..", "..", "..", ".loophound", "bin", "rabbitmq");
  return existsSync(linked) ? linked : null;
}

const configText = (port: number, lines: readonly string[]): string =>
  [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    "num_acceptors.tcp = 2",
    "log.file.level = info",
    // The machine's free disk space is not what is tested; RabbitMQ's own default is 50 MB.
    "disk_free_limit.absolute = 1MB",
    ...lines,
    "",
  ].join("\n");

interface Ports {
  readonly port: number;
  readonly distPort: number;
  readonly epmdPort: number;
}

/** https://www.rabbitmq.com/docs/configure#supported-environment-variables */
function environment(
  directory: string,
  { port, distPort, epmdPort }: Ports,
): Readonly<Record<string, string>> {
  const folders = [process.env["PATH"] ?? "", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];
  return {
    PATH: folders.join(delimiter),
    HOME: directory,
    RABBITMQ_NODENAME: nodeName,
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${distPort}`,
    ERL_EPMD_PORT: `${epmdPort}`,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_MNESIA_BASE: join(directory, "mnesia"),
    RABBITMQ_LOG_BASE: join(directory, "log"),
    RABBITMQ_CONFIG_FILE: join(directory, "rabbitmq.conf"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "enabled_plugins"),
    RABBITMQ_PID_FILE: join(directory, "pid"),
    RABBITMQ_ALLOW_INPUT: "true",
    // One scheduler that does not spin: the machine is for what is tested.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1 +sbwt none",
  };
}

const asArguments = (env: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);

interface ServerParts {
  readonly folder: string;
  readonly directory: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly broker: GuardedProcess;
  readonly epmd: GuardedProcess;
}

function serverOf({ folder, directory, port, env, broker, epmd }: ServerParts): RabbitServer {
  const logFile = join(directory, "log", `${nodeName}.log`);
  const kill = async (): Promise<void> => {
    process.kill(broker.pid, "SIGKILL");
    await broker.exited;
  };
  return {
    host: "127.0.0.1",
    port,
    pid: broker.pid,
    url: (query = "") => `amqp://guest:guest@127.0.0.1:${port}${query === "" ? "" : `?${query}`}`,
    async ctl(...args) {
      const run = promisify(execFile);
      const { stdout } = await run(join(folder, "rabbitmqctl"), [...args], { env });
      return stdout;
    },
    log: () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : ""),
    kill,
    async stop() {
      await broker.stop();
      await epmd.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function untilItAccepts(broker: GuardedProcess, server: RabbitServer): Promise<void> {
  let exitStatus: number | null = null;
  void broker.exited.then((status) => {
    exitStatus = status;
  });
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline) {
    if (exitStatus !== null) throw new Error(`it ended with status ${exitStatus}`);
    if (server.log().includes("Server startup complete") && (await accepts(server.port))) return;
    await sleep(lookEveryMs);
  }
  throw new Error(`no connection in ${readyTimeoutMs / 1000} s`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
