// An array of texts is sorted by the language itself.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  in: "sortTexts",
  lengthsMs: [0, 0],
  setup: () => ({
    texts: Array.from({ length: 250_000 }, (_, i) =>
      ((i * 2_654_435_761) % 1_000_003).toString(36),
    ),
  }),
  block: sortTexts,
});

function sortTexts(_size, { texts }) {
  texts.slice().sort(); // blocks
}
