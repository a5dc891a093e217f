// npm test [-- filters]: everything that must hold, from a fresh clone on, in an order that fails early.
// --unit runs only the build and the tests. What remains of the arguments goes to vitest.
//
// The last line is always `N passed, N failed`. Passed counts tests; failed counts tests and checks, so
// it is 0 exactly when the exit code is.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runForeground } from "./lib/foreground.mjs";
import { runQuietly } from "./lib/quiet.mjs";
import { setUp } from "./lib/setup.mjs";
import { root, toolEnvironment } from "./lib/workspace.mjs";

const unitOnly = process.argv.includes("--unit");
const filters = process.argv.slice(2).filter((argument) => argument !== "--unit");

/** @type {readonly { name: string, command: readonly string[] }[]} */
const checks = [
  { name: "types", command: ["tsc", "--build"] },
  { name: "lint", command: ["oxlint", "--config", "scripts/config/oxlint.json", "--type-aware", "--deny-warnings"] },
  { name: "format", command: ["biome", "format", "--config-path", "scripts/config/format.json"] },
  { name: "unused code", command: ["knip", "--config", "scripts/config/knip.json", "--no-config-hints"] },
  { name: "packages", command: ["node", "scripts/check-packages.mjs"] },
];

// Also when an install fails, or a signal ends this.
let closed = false;
process.once("exit", () => {
  if (!closed) close(0, 1);
});

const environment = toolEnvironment();
setUp();
process.exitCode = await main();

async function main() {
  if (!(await check("build", ["turbo", "run", "build", "--output-logs=errors-only", "--log-order=grouped"]))) {
    process.stdout.write("\nThe build failed, so nothing else ran.\n");
    return close(0, 1);
  }
  /** @type {string[]} */
  const failed = [];
  if (!unitOnly) {
    for (const { name, command } of checks) {
      if (!(await check(name, command))) failed.push(name);
    }
  }
  const tests = await runTests();
  if (tests.skipped > 0) process.stdout.write(`${tests.skipped} skipped on this machine\n`);
  if (failed.length > 0) process.stdout.write(`Failed checks (their output is above): ${failed.join(", ")}\n`);
  return close(tests.passed, tests.failed + failed.length);
}

/**
 * Runs one check; shows its output only if it fails.
 * @param {string} name
 * @param {readonly string[]} command
 */
async function check(name, command) {
  const began = Date.now();
  const [program = "", ...args] = command;
  const { code, output } = await runQuietly(program, args, { cwd: root, env: environment });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  process.stdout.write(`${name.padEnd(18)}${code === 0 ? "ok" : "FAILED"}  ${seconds} s\n`);
  if (code !== 0) process.stdout.write(`\n$ ${command.join(" ")}\n${output}\n`);
  return code === 0;
}

async function runTests() {
  const directory = mkdtempSync(join(tmpdir(), "varve-test-"));
  const countsPath = join(directory, "counts.json");
  try {
    const args = ["run", "--config", "scripts/config/vitest.config.ts", ...filters];
    const env = { ...environment, VARVE_TEST_COUNTS: countsPath };
    const code = await runForeground("vitest", args, { cwd: root, env });
    const counts = readCounts(countsPath);
    // Nothing found to run, or ended before it could count.
    if (code !== 0 && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {string} path
 * @returns {import("./config/test-counts.ts").TestCounts}
 */
function readCounts(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/**
 * @param {number} passed
 * @param {number} failed
 */
function close(passed, failed) {
  closed = true;
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}
