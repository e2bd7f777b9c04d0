// Node's own SQLite computes (Node 22 and later).

const { program } = require("../../support/harness.cjs");

const sql = `with recursive n(x) as (select 1 union all select x + 1 from n where x < 600000)
  select sum(x * 7 % 13) as total from n`;

program({
  cause: "sync-core-api",
  module: "node:sqlite",
  in: "report",
  lengthsMs: [0, 0],
  setup(tools) {
    const sqlite = process.getBuiltinModule?.("node:sqlite");
    if (sqlite === undefined) tools.skip(`Node ${process.version} has no node:sqlite`);
    return { statement: new sqlite.DatabaseSync(":memory:").prepare(sql) };
  },
  block: report,
});

function report(_lengthMs, { statement }) {
  statement.get(); // blocks
}
