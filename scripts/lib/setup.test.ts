// When an install is needed: whenever anything that decides about it has changed, and only then.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fingerprint, isInstalled } from "./setup.mjs";

let clone = "";
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), text);
};
const install = (): void => write("node_modules/.varve-setup", fingerprint(clone));

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "varve-setup-"));
  write("package.json", "{}");
  write("pnpm-lock.yaml", "a");
  write("pnpm-workspace.yaml", "a");
  write("packages/a/package.json", "{}");
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

test("a fresh clone is not installed", () => expect(isInstalled(clone)).toBe(false));

test("an installed clone stays installed", () => {
  install();
  write("packages/a/src/index.ts", "export {};");
  expect(isInstalled(clone)).toBe(true);
});

test.for(["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "packages/a/package.json", "apps/b/package.json"])(
  "a change of %s asks for an install",
  (path) => {
    install();
    write(path, '{ "changed": true }');
    expect(isInstalled(clone)).toBe(false);
  },
);

test("deleting node_modules asks for an install", () => {
  install();
  rmSync(join(clone, "node_modules"), { recursive: true });
  expect(isInstalled(clone)).toBe(false);
});
