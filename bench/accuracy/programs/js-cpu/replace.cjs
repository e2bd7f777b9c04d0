// A long text is searched and replaced.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  lengthsMs: [0, 0],
  setup: () => ({ text: "some words of a long text, and more ".repeat(60_000) }),
  block: clean,
});

function clean(_size, { text }) {
  return text.replace(/[aeiou](?=\w)/g, (vowel) => vowel.toUpperCase()); // blocks
}
