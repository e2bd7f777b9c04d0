// SQLite waits, in naps, for a database that another connection has locked.

const { join } = require("node:path");
const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "better_sqlite3.node",
  syscall: ["nanosleep", "clock_nanosleep"],
  in: "writeRow",
  lengthsMs: [150, 400],
  setup(tools) {
    const Database = tools.load("better-sqlite3");
    const path = join(tools.folder(), "data.db");
    const holder = new Database(path);
    holder.exec("create table t (x)");
    holder.exec("begin exclusive");
    return { Database, path, holder };
  },
  prepare(lengthMs, world) {
    world.database = new world.Database(world.path, { timeout: lengthMs });
  },
  block: writeRow,
});

function writeRow(_lengthMs, { database }) {
  try {
    database.exec("insert into t values (1)"); // blocks
  } catch (error) {
    if (error.code !== "SQLITE_BUSY") throw error;
  }
}
