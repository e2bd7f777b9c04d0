// An array of texts is sorted by the language itself.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  in: "sortTexts",
  lengthsMs: [250_000, 1_000_000],
  setup: () => ({
    texts: Array.from({ length: 1_000_000 }, (_, i) =>
      ((i * 2_654_435_761) % 1_000_003).toString(36),
    ),
  }),
  block: sortTexts,
});

function sortTexts(size, { texts }) {
  texts.slice(0, size).sort(); // blocks
}
