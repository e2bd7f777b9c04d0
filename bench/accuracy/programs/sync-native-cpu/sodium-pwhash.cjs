// sodium-native derives a key on the loop.

const { program } = require("../../support/harness.cjs");

const bytesOfMemory = 64 * 1024 * 1024;

program({
  cause: "sync-native-cpu",
  module: "sodium-native.node",
  in: "deriveKey",
  lengthsMs: [1, 4],
  setup(tools) {
    const sodium = tools.load("sodium-native");
    const salt = Buffer.alloc(sodium.crypto_pwhash_SALTBYTES);
    return { sodium, salt, key: Buffer.alloc(32), password: Buffer.from("a password") };
  },
  block: deriveKey,
});

function deriveKey(rounds, { sodium, key, password, salt }) {
  const algorithm = sodium.crypto_pwhash_ALG_ARGON2ID13;
  const args = [key, password, salt, rounds, bytesOfMemory, algorithm];
  sodium.crypto_pwhash(...args); // blocks
}
