// A large JSON text is parsed.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  symbol: "JSON.parse",
  in: "parseAll",
  lengthsMs: [0, 0],
  setup: () => {
    const row = JSON.stringify({ id: 1, name: "a name", tags: ["a", "b"], nested: { a: 1 } });
    return { text: `[${Array(300_000).fill(row).join(",")}]` };
  },
  block: parseAll,
});

function parseAll(_size, { text }) {
  return JSON.parse(text); // blocks
}
