// Private, real Prometheus and Alertmanager: own folders, own free ports on 127.0.0.1. For tests.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port";
import { startGuarded } from "./guarded-process";

/** A safety rail for busy machines. */
const readyTimeoutMs = 30_000;
const readyEveryMs = 50;
const logTailChars = 600;

/** The first of these programs that is on the PATH; Debian names Alertmanager otherwise than its makers. */
export function findProgram(...names: readonly string[]): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`no ${names[0]} found: npm test installs it`);
  return found;
}

export interface PrivateServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  /** Ports on 127.0.0.1 whose /metrics are read twice a second. */
  readonly targets: readonly number[];
  /** The text of the rule file; evaluated twice a second. */
  readonly rules: string;
  readonly alertmanagerPort: number;
}

export async function startPrometheus(options: PrometheusOptions): Promise<PrivateServer> {
  const { targets, rules, alertmanagerPort } = options;
  const config = (folder: string): readonly string[] => [
    "global: { scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms }",
    `rule_files: [${JSON.stringify(join(folder, "rules.yml"))}]`,
    `alerting: { alertmanagers: [{ static_configs: [{ targets: ${local([alertmanagerPort])} }] }] }`,
    `scrape_configs: [{ job_name: app, static_configs: [{ targets: ${local(targets)} }] }]`,
  ];
  return start(findProgram("prometheus"), (folder, port) => {
    writeFileSync(join(folder, "rules.yml"), rules);
    writeFileSync(join(folder, "config.yml"), config(folder).join("\n"));
    return [
      `--config.file=${join(folder, "config.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
  });
}

const local = (ports: readonly number[]): string =>
  JSON.stringify(ports.map((port) => `127.0.0.1:${port}`));

/** Sends each alert to the address `webhook`, at once. */
export async function startAlertmanager(webhook: string): Promise<PrivateServer> {
  const config = [
    "route: { receiver: test, group_by: [alertname], group_wait: 0s, group_interval: 1s }",
    `receivers: [{ name: test, webhook_configs: [{ url: ${JSON.stringify(webhook)} }] }]`,
  ];
  return start(findProgram("prometheus-alertmanager", "alertmanager"), (folder, port) => {
    writeFileSync(join(folder, "config.yml"), config.join("\n"));
    return [
      `--config.file=${join(folder, "config.yml")}`,
      `--storage.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ];
  });
}

/** `prepare` writes what the program needs into its folder, and gives its arguments. */
async function start(
  program: string,
  prepare: (folder: string, port: number) => readonly string[],
): Promise<PrivateServer> {
  const folder = mkdtempSync(join(tmpdir(), "loophound-prometheus-"));
  const log = join(folder, "errors.log");
  const port = await freePort();
  const server = await startGuarded(program, prepare(folder, port), folder, log);
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  if (await isReady(port)) return { port, stop };
  const said = readFileSync(log, "utf8").slice(-logTailChars);
  await stop();
  throw new Error(`${program} did not start: ${said}`);
}

async function isReady(port: number): Promise<boolean> {
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => null);
    if (answer?.ok === true) return true;
    await sleep(readyEveryMs);
  }
  return false;
}
