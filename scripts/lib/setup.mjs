// Installs what the lockfile names, once. Every npm script comes through here first, so a fresh clone
// needs no other command, and an up-to-date one pays a few milliseconds and no network.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAtLeast, minimumSetupNode } from "./node-version.mjs";
import { findNode, noNodeMessage, root, say } from "./workspace.mjs";

/** The pnpm this workspace is made with; `packageManager` says the same (a root test compares). */
const pnpmVersion = "12.21.0";

// Inside node_modules, so that deleting node_modules deletes it too.
const stampPath = (/** @type {string} */ directory) => join(directory, "node_modules", ".varve-setup");

/**
 * A fingerprint of everything that decides what `pnpm install` does.
 * @param {string} [directory] root of the clone
 * @returns {string}
 */
export function fingerprint(directory = root) {
  const hash = createHash("sha256");
  const manifests = ["packages", "apps"].flatMap((group) => {
    const path = join(directory, group);
    return existsSync(path) ? readdirSync(path).map((name) => join(group, name, "package.json")) : [];
  });
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests.sort()];
  for (const file of files) {
    const path = join(directory, file);
    if (existsSync(path)) hash.update(file).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.update(`${process.platform}-${process.arch}`).digest("hex");
}

/**
 * @param {string} [directory] root of the clone
 * @returns {boolean} whether the last successful install was of exactly what the tree asks for now
 */
export function isInstalled(directory = root) {
  try {
    return readFileSync(stampPath(directory), "utf8") === fingerprint(directory);
  } catch {
    return false;
  }
}

/**
 * Makes the workspace ready and returns the Node to run it on. On failure it says why and ends the
 * process with the installer's exit code.
 * @returns {string} path of the Node to use
 */
export function setUp() {
  if (!isAtLeast(process.version, minimumSetupNode)) {
    fail(`setting up needs Node ${minimumSetupNode} or newer, and this is ${process.version}`, 1);
  }
  if (!isInstalled()) install();
  return findNode() ?? fail(noNodeMessage, 1);
}

function install() {
  rmSync(stampPath(root), { force: true });
  say("installing dependencies (once per change of the lockfile; up to a minute the first time)");
  const began = Date.now();
  const { program, args } = installer();
  const result = spawnSync(program, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
    // npm and npx are scripts with an extension of their own on Windows, which only a shell resolves.
    shell: process.platform === "win32",
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      // An offline machine should learn it in seconds; npm's own waits add up to more than a minute.
      npm_config_fetch_retries: "2",
      npm_config_fetch_retry_mintimeout: "1000",
      npm_config_fetch_retry_maxtimeout: "3000",
    },
  });
  const code = result.error ? 127 : (result.status ?? 1);
  if (code !== 0) {
    process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
    const what = [program, ...args].join(" ");
    if (result.error) fail(`cannot run ${what}: ${result.error.message}`, code);
    if (result.signal) fail("installing dependencies was interrupted", 130);
    fail(
      `installing dependencies failed with exit code ${code}: ${what}\n` +
        "varve: the first run needs the npm registry; the lines above say what went wrong",
      code,
    );
  }
  writeFileSync(stampPath(root), fingerprint());
  say(`installed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** The workspace's own pnpm if it is there already, else npx fetches it: no global pnpm, no corepack. */
function installer() {
  const args = [
    "install",
    "--frozen-lockfile",
    // Whatever NODE_ENV says, the tools are needed; whatever is in node_modules, no question is asked.
    "--prod=false",
    "--config.confirmModulesPurge=false",
  ];
  const own = join(root, "node_modules", ".bin", "pnpm");
  const usable = process.platform !== "win32" && existsSync(own) && installedPnpmVersion() === pnpmVersion;
  return usable ? { program: own, args } : { program: "npx", args: ["--yes", `pnpm@${pnpmVersion}`, ...args] };
}

function installedPnpmVersion() {
  try {
    return JSON.parse(readFileSync(join(root, "node_modules", "pnpm", "package.json"), "utf8")).version;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} message
 * @param {number} code
 * @returns {never}
 */
function fail(message, code) {
  say(message);
  process.exit(code);
}
