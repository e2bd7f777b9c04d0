// OpenTelemetry's own instrumentations of ioredis, redis and amqplib, as their documentation sets them up,
// with an exporter that drops what it is given (which flatters them).

import { createRequire } from "node:module";
import { env } from "node:process";

const load = createRequire(env["BENCH_CLIENTS_OF"] ?? __filename);
const { NodeTracerProvider, BatchSpanProcessor } = load("@opentelemetry/sdk-trace-node");
const { registerInstrumentations } = load("@opentelemetry/instrumentation");
const { IORedisInstrumentation } = load("@opentelemetry/instrumentation-ioredis");
const { RedisInstrumentation } = load("@opentelemetry/instrumentation-redis");
const { AmqplibInstrumentation } = load("@opentelemetry/instrumentation-amqplib");

const counted = globalThis as { spanCount?: number };
counted.spanCount = 0;
const exporter = {
  export(spans: readonly unknown[], done: (result: { code: number }) => void) {
    counted.spanCount = (counted.spanCount ?? 0) + spans.length;
    done({ code: 0 });
  },
  shutdown: async () => undefined,
};

new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }).register();
registerInstrumentations({
  instrumentations: [
    new IORedisInstrumentation({ requireParentSpan: false }),
    new RedisInstrumentation({ requireParentSpan: false }),
    new AmqplibInstrumentation(),
  ],
});
