// Goal: a table says of each code what its source says, and of retrying what the class does. Method: small sources made
// here; then the real page against the built packages.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { repositoryOf } from "../repo/repository-of.ts";
import { SourceFile } from "../repo/source-file.ts";
import { codeListsOf } from "./code-list.ts";
import { errorPage, unexplainedCodes } from "./error-page.ts";
import { exitCodesOf } from "./exit-codes.ts";

const source = `
import { other } from "x";
// About the file.
export const someErrorCodes = [
  // Mend the call.
  "A", // first, with | in it
  // Wait,
  // then call again.
  "B", // second
  "C",
] as const;
export const numbers = [1];
const retryableCodes: ReadonlySet<string> = new Set(["B"]);
export class SomeError extends Error {
  constructor(code: string) {
    super(code);
    this.retryable = retryableCodes.has(code) || code === "C";
  }
}`;

test("reads codes, meanings, actions and what may be tried again", () => {
  expect(codeListsOf(new SourceFile("a.ts", source))).toEqual([
    {
      name: "someErrorCodes",
      errorClass: "SomeError",
      codes: [
        { code: "A", meaning: "first, with | in it", action: "Mend the call.", isRetryable: false },
        { code: "B", meaning: "second", action: "Wait, then call again.", isRetryable: true },
        { code: "C", meaning: "", action: "Wait, then call again.", isRetryable: true },
      ],
    },
  ]);
});

test("a list without an order by action has no column for it", () => {
  const text = 'export const xErrorCodes = [\n  "A", // first\n  "B", // second\n];';
  expect(codeListsOf(new SourceFile("a.ts", text))[0]?.codes.map(({ action }) => action)).toEqual([
    undefined,
    undefined,
  ]);
  const page = errorPage(repositoryOf({ "packages/a/package.json": { name: "@v/a" }, "packages/a/src/e.ts": text }));
  expect(page).toContain("## @v/a\n\n| code | meaning |\n| --- | --- |\n| `A` | First. |\n| `B` | Second. |\n");
});

test("writes a table whose cells hold what they should, and names codes that nobody explained", () => {
  const repository = repositoryOf({ "packages/a/package.json": { name: "@v/a" }, "packages/a/src/deep/e.ts": source });
  const page = errorPage(repository);
  expect(page).toContain("## @v/a: `SomeError`\n");
  expect(page).toContain("| `A` | First, with \\| in it. | Mend the call. |  |\n");
  expect(page).toContain("| `B` | Second. | Wait, then call again. | yes |\n");
  expect(unexplainedCodes(repository)).toEqual([expect.stringMatching(/^packages\/a\/src\/deep\/e\.ts: C needs/)]);
});

test("what is reported and not thrown comes last, under the name of its list", () => {
  const reasons = 'export const aReasonCodes = [\n  // Look.\n  "LATE", // too late\n];';
  const files = {
    "packages/a/package.json": { name: "@v/a" },
    "packages/a/src/a.ts": reasons,
    "packages/a/src/b.ts": source,
  };
  const page = errorPage(repositoryOf(files));
  expect(page).toContain("## @v/a: `aReasonCodes`\n\n| code | meaning | how bad |\n");
  expect(page.indexOf("aReasonCodes")).toBeGreaterThan(page.indexOf("SomeError"));
});

test("reads exit codes and what leads to each", () => {
  const text = `
export const exitCode = {
  /** Done. */
  ok: 0,
  /** Mend it. */
  usage: 1,
} as const;
const byCode = { A: exitCode.usage, B: exitCode.ok, C: exitCode.usage };`;
  expect(exitCodesOf(new SourceFile("a.ts", text))).toEqual([
    { name: "ok", number: 0, meaning: "Done.", failures: ["B"] },
    { name: "usage", number: 1, meaning: "Mend it.", failures: ["A", "C"] },
  ]);
  expect(exitCodesOf(new SourceFile("a.ts", "export const x = 1;"))).toEqual([]);
});

const page = readFileSync(fileURLToPath(new URL("../../docs/errors.md", import.meta.url)), "utf8");

test.for([
  ["aof", "AofError", "aofErrorCodes"],
  ["fs-core", "StorageError", "storageErrorCodes"],
  ["segment-index", "IndexError", "indexErrorCodes"],
  ["flush-metrics", "FlushMetricsError", "flushMetricsErrorCodes"],
] as const)("the page agrees with %s as it is built", async ([directory, errorClass, list]) => {
  const built = new URL(`../../packages/${directory}/dist/index.js`, import.meta.url);
  const exports: Record<string, unknown> = await import(built.href);
  const codes = exports[list] as readonly string[];
  const Thrown = exports[errorClass] as new (code: string, message: string) => { readonly retryable?: boolean };
  const start = page.indexOf(`## @varve/${directory}: \`${errorClass}\``);
  expect(start).toBeGreaterThan(0);
  const rows = page
    .slice(start)
    .split("\n## ")[0]
    ?.split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => ({ code: line.split("`")[1], isRetryable: line.endsWith("| yes |") }));
  expect(rows).toEqual(codes.map((code) => ({ code, isRetryable: new Thrown(code, "").retryable === true })));
});
