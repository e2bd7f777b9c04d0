// The founding incident: libhiredis waits for BLPOP on the event loop.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "syncredis.node",
  symbol: ["redisNetRead", "redisBufferRead"],
  syscall: ["read", "recvfrom"],
  peer: ({ redis }) => ({ host: redis.host, port: redis.port }),
  in: "popJob",
  lengthsMs: [1_000],
  setup(tools) {
    const redis = tools.redis();
    const client = tools.syncredis();
    return { redis, client, connection: client.connect(redis.host, redis.port, 1_000, 20_000) };
  },
  block: popJob,
});

function popJob(lengthMs, { client, connection }) {
  client.blpop(connection, "accuracy:none", lengthMs / 1_000); // blocks
}
