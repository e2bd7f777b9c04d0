// libhiredis waits for GET while Redis stands still.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "syncredis.node",
  symbol: ["redisNetRead", "redisBufferRead"],
  syscall: ["read", "recvfrom"],
  peer: ({ redis }) => ({ host: redis.host, port: redis.port }),
  in: "checkSession",
  setup(tools) {
    const redis = tools.redis();
    const client = tools.syncredis();
    const connection = client.connect(redis.host, redis.port, 1_000, 20_000);
    return { tools, redis, client, connection };
  },
  prepare: (lengthMs, { tools, redis }) =>
    tools.later(260 + lengthMs, 'kill -CONT "$1"', String(redis.pid)),
  block: checkSession,
});

function checkSession(_lengthMs, { redis, client, connection }) {
  process.kill(redis.pid, "SIGSTOP");
  client.get(connection, "accuracy:none"); // blocks
}
