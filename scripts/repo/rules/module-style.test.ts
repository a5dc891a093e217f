// Each habit of modules has a text that breaks it.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { checkModuleStyle } from "./module-style.ts";

const check = (path: string, text: string): string[] =>
  checkModuleStyle(
    repositoryOf({
      "packages/aof/package.json": { name: "@varve/aof" },
      "packages/varve/package.json": { name: "varve" },
      "apps/cli/package.json": { name: "@varve/cli" },
      [path]: text,
    }),
  );

test.for([
  ["packages/aof/src/a.ts", 'export * from "./b.ts";', "export *"],
  ["packages/aof/src/a.ts", 'export * as b from "./b.ts";', "export *"],
  ["packages/aof/src/a.ts", "export default 5;", "default export"],
  ["apps/cli/src/a.ts", "export default class A {}", "default export"],
  ["packages/aof/src/index.ts", "export const a = 5;", "table of contents"],
  ["packages/aof/src/testing/index.ts", "console.log(5);", "table of contents"],
  ["packages/aof/src/index.ts", 'export { a } from "@varve/fs-core";', "re-exports @varve/fs-core"],
  ["packages/aof/src/a.ts", 'import { b } from "../../fs-core/src/b.ts";', "reaches into"],
  ["packages/aof/test/a.test.ts", 'await import("../../fs-core/src/b.ts");', "reaches into"],
  ["packages/aof/src/a.ts", `// ${"TO"}${"DO"}: later`, "do it"],
  ["packages/aof/src/a.ts", `/* ${"FIX"}${"ME"} */`, "do it"],
  ["packages/aof/src/a.ts", "// @ts-ignore\nf();", "silences"],
  ["packages/aof/src/a.test.ts", "// oxlint-disable-next-line no-var\nvar a;", "silences"],
  ["packages/aof/src/a.ts", "// @ts-expect-error\nf();", "expects a type error"],
  ["packages/aof/src/a.test.ts", 'it.only("x", () => {});', "it.only"],
  ["packages/aof/test/a.test.ts", 'describe.skip("x", () => {});', "describe.skip"],
  ["packages/aof/src/a.ts", "export const = 5;", "does not parse"],
] as const)("refuses in %s: %s", ([path, text, problem]) => {
  expect(check(path, text).join("\n")).toContain(problem);
});

test.for([
  ["packages/aof/src/index.ts", '/** About. */\nexport { a, type B } from "./a.ts";\nexport type { C } from "./c.ts";'],
  ["packages/varve/src/index.ts", 'export { Aof } from "@varve/aof";'],
  ["packages/aof/vitest.config.ts", "export default {};"],
  ["packages/aof/src/format/a.ts", 'import { b } from "../b.ts";'],
  ["packages/aof/src/a.ts", 'const text = "export * from; it.only";'],
  ["packages/aof/src/a.test.ts", "// @ts-expect-error: a number is no name\nf(5);"],
  ["packages/aof/src/a.test.ts", 'it.skipIf(windows)("x", () => {});'],
] as const)("accepts in %s: %s", ([path, text]) => expect(check(path, text)).toEqual([]));
