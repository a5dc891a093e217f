// A README with a section missing, out of order, without a runnable example or with a dead link is refused.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { checkReadmes } from "./readme.ts";

const readme = `# @varve/a

Keeps one thing true, and says which.

## Install
## Example

\`\`\`ts run
import "@varve/a";
\`\`\`

## Checksums
## Guarantees
## Limits
## Settings
## Error codes
`;
const root = "npm start, npm test: see [a](packages/a) at packages/a, and [the site](https://example.org/x).";
const tree = {
  "README.md": root,
  "packages/a/package.json": { name: "@varve/a" },
  "packages/a/README.md": readme,
};
const check = (files: Record<string, string>): string[] => checkReadmes(repositoryOf({ ...tree, ...files }));

test("accepts the order with a section in between", () => expect(check({})).toEqual([]));

test.for([
  ["no title", readme.replace("# @varve/a", "# A"), 'should begin with "# @varve/a"'],
  ["no sentence", readme.replace("Keeps one thing true, and says which.\n\n", ""), "in one sentence"],
  ["no limits", readme.replace("## Limits\n", ""), 'has no section "## Limits"'],
  ["a heading only in code", readme.replace("## Limits", "```\n## Limits\n```"), 'has no section "## Limits"'],
  ["the wrong order", readme.replace("## Limits\n", "").replace("## Install", "## Limits\n## Install"), "out of order"],
  ["no example that runs", readme.replace("ts run", "ts"), "no example that runs"],
  ["a dead link", `${readme}\n[there](./missing.md)`, "links to ./missing.md"],
] as const)("refuses %s", ([, text, problem]) => {
  expect(check({ "packages/a/README.md": text })).toEqual([expect.stringContaining(problem)]);
});

test("refuses a format that the README does not mention", () => {
  expect(check({ "packages/a/FORMAT.md": "# Bytes" })).toEqual([expect.stringContaining("should link to FORMAT.md")]);
});

test("refuses a package without a README, and a root without one", () => {
  expect(checkReadmes(repositoryOf({ "packages/a/package.json": { name: "@varve/a" } }))).toEqual([
    "packages/a has no README.md.",
    "There is no README.md at the root.",
  ]);
});

test("refuses a root README that leaves out a command or a package", () => {
  expect(check({ "README.md": "npm start" })).toEqual([
    "README.md does not show npm test.",
    "README.md does not mention packages/a.",
  ]);
});

test("follows links of other documents, whatever their anchor", () => {
  expect(check({ "docs/a.md": "[root](../README.md#top) [gone](gone.md#top)" })).toEqual([
    "docs/a.md links to gone.md, which does not exist.",
  ]);
});
