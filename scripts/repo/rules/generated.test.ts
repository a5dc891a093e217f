// A document that is not what its sources make of it is found; so is a code without an explanation.
import { expect, test } from "vitest";
import { generatedDocuments } from "../../docs/generated.ts";
import { repositoryOf } from "../repository-of.ts";
import { checkGenerated } from "./generated.ts";

const list = (entries: string): string => `export const aErrorCodes = [\n${entries}\n] as const;`;
const files = { "packages/a/package.json": { name: "@v/a" }, "packages/a/src/errors.ts": list('"X", // what X is') };

function written(): Record<string, string> {
  const repository = repositoryOf(files);
  return Object.fromEntries(Object.entries(generatedDocuments).map(([path, make]) => [path, make(repository)]));
}

test("accepts documents that are as their sources", () => {
  expect(checkGenerated(repositoryOf({ ...files, ...written() }))).toEqual([]);
});

test.for([
  ["is missing", undefined],
  ["was edited", "# Error codes\n"],
])("refuses one that %s", ([, text]) => {
  const document = text === undefined ? {} : { "docs/errors.md": text };
  expect(checkGenerated(repositoryOf({ ...files, ...document }))).toEqual([
    "docs/errors.md is not what its sources make of it now; npm run docs writes it.",
  ]);
});

test("refuses one whose sources moved on", () => {
  const moved = { ...files, "packages/a/src/errors.ts": list('"X", // what X is\n"Y", // what Y is') };
  expect(checkGenerated(repositoryOf({ ...moved, ...written() }))).toHaveLength(1);
});

test("refuses a code that nobody explained", () => {
  const bare = repositoryOf({ ...files, "packages/a/src/errors.ts": list('"X",') });
  expect(checkGenerated(bare)[0]).toMatch(/^packages\/a\/src\/errors\.ts: X needs a comment/);
});
