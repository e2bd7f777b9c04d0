// What the agent's HTTP server serves: /metrics, /healthz, /incidents, and / that lists them.
// Watchdog thread; reads what the watchdog knows and changes nothing.

import type { Cause } from "../agent/model/cause";
import type { Incident } from "../agent/model/incident";
import {
  type Answer,
  plain,
  type Route,
  type RouteRequest,
  type StreamAnswer,
} from "./http-server";
import type { EventStream } from "./live/event-stream";
import type { LiveDocument } from "./page/document";
import type { Prometheus } from "./prometheus";

interface LoopHealth {
  readonly status: "ok" | "stalled";
  /** 0 while there is no stall. */
  readonly stalledForMs: number;
  /** What is known so far; null without a stall, or before anything is known. */
  readonly cause: Cause | null;
  /** What holds it, and the line that called it, in words; null as `cause`, or where nobody is named. */
  readonly culprit: string | null;
}

export interface ThreadHealth extends LoopHealth {
  /** worker_threads' threadId; 0 is the main thread. */
  readonly threadId: number;
}

/** The loop's is the main thread's. */
export interface Health extends LoopHealth {
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** The main thread, and the application's worker threads that are watched. */
  readonly threads: readonly ThreadHealth[];
}

export interface RouteSources {
  readonly prometheus: Prometheus;
  readonly health: () => Health;
  readonly page: () => LiveDocument;
  readonly events: EventStream;
  /** Newest first, at most `limit`. */
  readonly recent: (limit: number) => readonly Incident[];
}

const limitDefault = 50;
/** As many as are kept. */
const limitMax = 200;

const index = `loophound watches the event loop of this process.

/           this list; to a browser, the live page
/events     what the live page shows, as server-sent events
/metrics    for Prometheus, also in OpenMetrics
/healthz    is the loop stalled now, for how long, by what (always 200: read "status")
/incidents  the newest incidents as JSON; ?limit=50, ?since=2026-01-31T12:00:00Z (or milliseconds)
`;

export function createRoutes(sources: RouteSources): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    [
      "/",
      ({ accept }) => (accept?.includes("text/html") === true ? page(sources) : plain(200, index)),
    ],
    ["/events", () => events(sources)],
    ["/metrics", (request) => metrics(sources.prometheus, request)],
    // 200 also while stalled: a liveness probe that kills the process for a blocked loop would hide
    // the incident and cost every request under way.
    ["/healthz", () => json(sources.health())],
    ["/incidents", ({ query }) => incidents(sources, query)],
  ]);
}

function page(sources: RouteSources): Answer {
  const { body, policy } = sources.page();
  return { status: 200, contentType: "text/html; charset=utf-8", body, policy };
}

/** The live page's source (HTML, section 9.2, server-sent events). */
function events({ events: stream }: RouteSources): Answer | StreamAnswer {
  if (stream.isFull()) return plain(503, "as many live pages as are served are open already\n");
  return { contentType: "text/event-stream", stream: stream.add };
}

async function metrics(prometheus: Prometheus, { accept }: RouteRequest): Promise<Answer> {
  return { status: 200, ...(await prometheus.render(accept)) };
}

function incidents(sources: RouteSources, query: URLSearchParams): Answer {
  const limit = query.get("limit") === null ? limitDefault : wholeNumber(query.get("limit"));
  const sinceEpochMs = query.get("since") === null ? null : epochMs(query.get("since"));
  if (limit === undefined) return plain(400, "limit takes a whole number\n");
  if (sinceEpochMs === undefined) {
    return plain(400, "since takes an ISO 8601 time or milliseconds since 1970\n");
  }
  const found = sources
    .recent(limitMax)
    .filter((incident) => sinceEpochMs === null || Date.parse(incident.startedAt) >= sinceEpochMs);
  return json(found.slice(0, Math.min(limit, limitMax)));
}

const wholeNumber = (text: string | null): number | undefined =>
  text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;

function epochMs(text: string | null): number | undefined {
  const time = wholeNumber(text) ?? Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}

const json = (value: unknown): Answer => ({
  status: 200,
  contentType: "application/json; charset=utf-8",
  body: `${JSON.stringify(value)}\n`,
});
