// Has it changed since? Answered by content, never by date: clones and caches do not keep dates.

const { createHash } = require("node:crypto");
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

/** One hash over these texts or buffers and their borders. */
function hashOf(parts) {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(`${part.length}:`);
    hash.update(part);
  }
  return hash.digest("hex");
}

/** All files below a folder whose path passes the test, sorted; none when there is no such folder. */
function filesBelow(folder, isWanted) {
  const files = [];
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return files;
    throw error;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...filesBelow(path, isWanted));
    else if (isWanted(path)) files.push(path);
  }
  return files.sort();
}

/** The content of a stamp file; null when it is not there. */
function readStamp(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

const writeStamp = (path, stamp) => writeFileSync(path, stamp);

module.exports = { hashOf, filesBelow, readStamp, writeStamp };
