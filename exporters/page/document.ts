// The pages, each as one document: markup, style, script and data. Pure. A page asks for nothing from
// anywhere but, where it is live, from where it came: its policy allows the style and the script that
// it carries, by their hashes, and nothing else.

import { createHash } from "node:crypto";
import type { PageData } from "./page-data";

export interface PageAssets {
  readonly style: string;
  readonly script: string;
}

/** The report: one file that needs nothing else. */
export function reportDocument(data: PageData, assets: PageAssets): string {
  const json = inScript(JSON.stringify(data));
  return documentOf({
    title: "loophound report",
    policy: policyOf(assets, []),
    assets,
    data: `<script type="application/json" id="data">${json}</script>\n`,
  });
}

export interface LiveDocument {
  readonly body: string;
  readonly policy: string;
}

/** The live page, and the policy to serve it with. */
export function liveDocument(assets: PageAssets): LiveDocument {
  const policy = policyOf(assets, ["connect-src 'self'"]);
  const body = documentOf({ title: "loophound", policy, assets, data: "" });
  return { body, policy: `${policy}; frame-ancestors 'none'` };
}

const policyOf = ({ style, script }: PageAssets, more: readonly string[]): string =>
  [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    // The empty icon that keeps browsers from asking for /favicon.ico.
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    ...more,
  ].join("; ");

interface DocumentParts {
  readonly title: string;
  readonly policy: string;
  readonly assets: PageAssets;
  readonly data: string;
}

const documentOf = ({ title, policy, assets, data }: DocumentParts): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="loophound">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${assets.style}</style>
</head>
<body>
<header><h1 id="title">${title}</h1><p id="made"></p></header>
<main id="content"><noscript>This page is drawn by the script in it: allow scripts here.</noscript></main>
${data}<script>${assets.script}</script>
</body>
</html>
`;

/** CSP Level 3, section 2.3.1: the digest of the element's text, in base64. */
const hashOf = (text: string): string =>
  `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;

/** Nothing in a script element's text may look like its end or like a comment (HTML, section 4.12.1.3). */
const inScript = (json: string): string =>
  json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
