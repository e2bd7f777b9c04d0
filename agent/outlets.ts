// The watchdog thread's outlets, opened from the configuration: the log, the words on stderr, the
// HTTP server. Each may be absent or fail; none may hold the watchdog up.

import { type HttpServer, startHttpServer } from "../exporters/http-server";
import { createEventStream } from "../exporters/live/event-stream";
import type { LiveFeed } from "../exporters/live/live-feed";
import type { MetricsStore } from "../exporters/metrics-store";
import { createNdjson } from "../exporters/ndjson";
import type { Outlet } from "../exporters/outlet";
import { readPageAssets } from "../exporters/page/assets";
import { type LiveDocument, liveDocument } from "../exporters/page/document";
import { createPrometheus } from "../exporters/prometheus";
import { createRoutes, type Health } from "../exporters/routes";
import { createStderrWords } from "../exporters/stderr-words";
import { nowMs } from "./base/clock";
import type { Stderr } from "./base/diag";
import { guard } from "./base/guard";
import type { Config } from "./model/config";
import type { Incident } from "./model/incident";

export interface OutletOptions {
  readonly config: Config;
  readonly metrics: MetricsStore;
  readonly live: LiveFeed;
  readonly stderr: Stderr;
  readonly health: () => Health;
  readonly recent: (limit: number) => readonly Incident[];
  readonly onPort: (port: number) => void;
  /** Called before the metrics are read. */
  readonly refresh: () => void;
}

export interface Outlets {
  publish(incident: Incident): void;
  /** Opens the port, if one is wanted: later than the rest, for processes that end soon. */
  serve(): void;
  /** Gives the port up before it returns, and takes another. */
  releasePort(): void;
  stop(): void;
}

export function openOutlets(options: OutletOptions): Outlets {
  const { config, metrics, live, stderr } = options;
  const say = (text: string): void => void stderr.write(`loophound: ${text}\n`);
  const list: Outlet[] = [];
  if (config.log !== null) {
    const onDropped = (count: number): void => metrics.dropped("log-line", count);
    list.push(createNdjson({ path: config.log, nowMs, say, onDropped }));
  }
  if (config.stderr) {
    const onDropped = (count: number): void => metrics.dropped("stderr-block", count);
    list.push(createStderrWords({ stderr, nowMs, onDropped }));
  }
  let server: HttpServer | null = null;
  const events = createEventStream(live.reader);
  return {
    publish(incident) {
      live.incident(incident);
      for (const outlet of list) guard("outlet", () => outlet.publish(incident), undefined);
    },
    serve() {
      const { host, port } = config;
      if (port === null || server !== null) return;
      const { health, recent, onPort, refresh } = options;
      const store = createPrometheus(metrics);
      const render: typeof store.render = (accept) => {
        guard("serve", refresh, undefined);
        return store.render(accept);
      };
      const page = (): LiveDocument => liveDocument(readPageAssets("live"));
      const routes = createRoutes({ prometheus: { render }, health, recent, page, events });
      server = guard("serve", () => startHttpServer({ host, port, routes, say, onPort }), null);
    },
    releasePort: () => server?.releasePort(),
    stop() {
      events.stop();
      server?.stop();
      for (const outlet of list) guard("outlet", () => outlet.stop(), undefined);
    },
  };
}
