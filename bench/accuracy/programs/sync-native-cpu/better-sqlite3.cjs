// SQLite computes: a query that has no table to read.

const { program } = require("../../support/harness.cjs");

const sql = `with recursive n(x) as (select 1 union all select x + 1 from n where x < ?)
  select sum(x * 7 % 13) as total from n`;

program({
  cause: "sync-native-cpu",
  module: "better_sqlite3.node",
  in: "report",
  lengthsMs: [400_000, 1_500_000],
  setup(tools) {
    const database = new (tools.load("better-sqlite3"))(":memory:");
    return { statement: database.prepare(sql) };
  },
  block: report,
});

function report(rows, { statement }) {
  statement.get(rows); // blocks
}
