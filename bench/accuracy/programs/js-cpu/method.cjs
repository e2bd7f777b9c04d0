// A method of a class, hot and optimised.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  in: "Matrix.square",
  lengthsMs: [500, 700],
  block: (size) => new Matrix(size).square(),
});

class Matrix {
  constructor(size) {
    this.size = size;
    this.cells = new Float64Array(size * size).fill(1.5);
  }

  square() {
    const { size, cells } = this;
    const result = new Float64Array(size * size);
    for (let row = 0; row < size; row += 1) {
      // blocks
      for (let column = 0; column < size; column += 1) {
        // blocks
        let sum = 0; // blocks
        for (let k = 0; k < size; k += 1) sum += cells[row * size + k] * cells[k * size + column]; // blocks
        result[row * size + column] = sum; // blocks
      }
    }
    return result;
  }
}
