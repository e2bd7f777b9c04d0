// The report as one file: markup, style, script and data. Pure. It asks for nothing from anywhere: the
// policy in it allows the style and the script that it carries, by their hashes, and nothing else.

import { createHash } from "node:crypto";
import type { PageData } from "./page-data";

export interface PageAssets {
  readonly style: string;
  readonly script: string;
}

export function reportDocument(data: PageData, { style, script }: PageAssets): string {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    // The empty icon that keeps browsers from asking for /favicon.ico.
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="loophound">
<title>loophound report</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header><h1 id="title">loophound report</h1><p id="made"></p></header>
<main id="content"><noscript>This report is drawn by the script in it: allow scripts for this file.</noscript></main>
<script type="application/json" id="data">${inScript(JSON.stringify(data))}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** CSP Level 3, section 2.3.1: the digest of the element's text, in base64. */
const hashOf = (text: string): string =>
  `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;

/** Nothing in a script element's text may look like its end or like a comment (HTML, section 4.12.1.3). */
const inScript = (json: string): string =>
  json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
