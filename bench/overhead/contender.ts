// The parent's side of one process under test.

import { fork } from "node:child_process";
import { join } from "node:path";
import { env } from "node:process";
import type { FromContender, ToContender } from "./contender-child";
import { agentEntry, clientsOf } from "./paths";
import type { Burst } from "./raw";

const preloads = {
  none: null,
  again: null,
  "empty preload": join(__dirname, "preloads/empty.js"),
  loophound: agentEntry,
  OpenTelemetry: join(__dirname, "preloads/opentelemetry.js"),
} as const;
export type ContenderName = keyof typeof preloads;
export const contenderNames = Object.keys(preloads) as readonly ContenderName[];

/** A tester's own settings must not reach the processes under test; ours say nothing and take a free port. */
export const contenderEnv = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(LOOPHOUND_|OTEL_|NODE_OPTIONS$)/.test(name)),
  ),
  LOOPHOUND_PORT: "0",
  LOOPHOUND_STDERR: "off",
  BENCH_CLIENTS_OF: clientsOf,
});

export const preloadArgs = (name: ContenderName): readonly string[] => {
  const preload = preloads[name];
  return preload === null ? [] : ["--require", preload];
};

export interface Contender {
  burst(lengthMs: number): Promise<Burst>;
  /** Resident memory at the end. Rejects when an instrumentation turns out not to have run. */
  end(): Promise<number>;
}

/** Resolves when the process is connected and ready to work. */
export async function startContender(
  name: ContenderName,
  workload: string,
  port: number,
): Promise<Contender> {
  const child = fork(join(__dirname, "contender-child.js"), [workload, `${port}`, clientsOf], {
    execArgv: [...preloadArgs(name)],
    env: contenderEnv(),
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const next = (): Promise<FromContender> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`${name} (${workload}) ended early`));
      child.once("exit", ended);
      child.once("message", (message: FromContender) => {
        child.off("exit", ended);
        resolve(message);
      });
    });
  const ask = (message: ToContender): Promise<FromContender> => {
    const answer = next();
    child.send(message);
    return answer;
  };
  await next();
  return {
    async burst(lengthMs) {
      const answer = await ask({ kind: "burst", lengthMs });
      if (answer.kind !== "burst") throw new Error(`${name} answered ${answer.kind}`);
      return answer.burst;
    },
    async end() {
      const answer = await ask({ kind: "end" });
      if (answer.kind !== "end") throw new Error(`${name} answered ${answer.kind}`);
      if (answer.spans === 0) throw new Error(`${name} made no span for ${workload}`);
      return answer.rssBytes;
    },
  };
}
