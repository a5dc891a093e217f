// A public name without a comment is found through re-exports; one with a comment is left alone.
import { expect, test } from "vitest";
import { repositoryOf } from "../repository-of.ts";
import { checkDocumented } from "./documented.ts";

const check = (index: string, declarations: string): string[] =>
  checkDocumented(repositoryOf({ "packages/a/src/index.ts": index, "packages/a/src/b.ts": declarations }));
const exportX = 'export { x } from "./b.ts";';

test.for([
  "export function x(): void {}",
  "export const x = 5;",
  "export class x {}",
  "export interface x {}",
  "export type x = 5;",
  "const x = 5;\nexport { x };",
  "// Not a documentation comment.\nexport const x = 5;",
  "/** About something else. */\nconst y = 5;\nexport const x = y;",
])("refuses without a comment: %s", (text) => {
  expect(check(exportX, text)).toEqual(["packages/a/src/b.ts: x is public and has no TSDoc comment."]);
});

test.for([
  "/** About x. */\nexport function x(): void {}",
  "/** About x. */\nexport const x = 5;",
  "/** About the first. */\nexport function x(a: 1): void;\nexport function x(a: 2): void;\nexport function x(): void {}",
  "/** About the type. */\nexport type x = 5;\nexport const x = 5;",
])("accepts with a comment: %s", (text) => expect(check(exportX, text)).toEqual([]));

test("finds a name that was renamed on its way out", () => {
  expect(check('export { y as x } from "./b.ts";', "export const y = 5;")).toEqual([
    "packages/a/src/b.ts: y is public and has no TSDoc comment.",
  ]);
});

test("refuses an export of what does not exist", () => {
  expect(check(exportX, "export const y = 5;")).toEqual([expect.stringContaining("does not declare")]);
  expect(check('export { x } from "./c.ts";', "")).toEqual([expect.stringContaining("does not exist")]);
});
