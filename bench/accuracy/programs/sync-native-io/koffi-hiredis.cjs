// libhiredis through koffi, without any addon of its own.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "koffi.node",
  symbol: ["redisNetRead", "redisBufferRead"],
  syscall: ["read", "recvfrom"],
  peer: ({ redis }) => ({ host: redis.host, port: redis.port }),
  in: "popByFfi",
  lengthsMs: [1_000],
  setup(tools) {
    const koffi = tools.load("koffi");
    const redis = tools.redis();
    const hiredis = openHiredis(tools, koffi);
    const context = hiredis.func("void *redisConnect(const char *ip, int port)")(
      redis.host,
      redis.port,
    );
    return {
      redis,
      context,
      command: hiredis.func("void *redisCommand(void *context, const char *format)"),
    };
  },
  block: popByFfi,
});

function openHiredis(tools, koffi) {
  for (const name of ["libhiredis.so.0.14", "libhiredis.so.1.1.0", "libhiredis.so"]) {
    try {
      return koffi.load(name);
    } catch {
      // The next version may be there.
    }
  }
  return tools.skip("libhiredis is not installed");
}

function popByFfi(lengthMs, { command, context }) {
  command(context, `BLPOP accuracy:none ${lengthMs / 1_000}`); // blocks
}
