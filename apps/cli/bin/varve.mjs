#!/usr/bin/env node
// The command `varve`. Any Node since 18 can parse this file, so an old one gets a sentence instead of
// a stack trace; in a clone, which brings its own Node, an old one is not even noticed.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const minimum = [22, 15];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const main = here("../dist/main.js");
const launcher = here("../../../scripts/lib/workspace.mjs");
const inClone = existsSync(launcher);

const [major, minor] = process.versions.node.split(".").map(Number);
const newEnough = major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);

if (!existsSync(main)) {
  stop(inClone ? "not built yet: run `npm run build` in the clone" : "dist/main.js is missing: install it again");
} else if (newEnough) {
  await import("../dist/main.js");
} else {
  const node = inClone ? await ownNode() : undefined;
  if (node === undefined) stop(`needs Node ${minimum.join(".")} or newer, and this is ${process.version}`);
  else await runAgainOn(node);
}

async function ownNode() {
  const { findNode } = await import("../../../scripts/lib/workspace.mjs");
  return findNode();
}

async function runAgainOn(node) {
  const { runForeground } = await import("../../../scripts/lib/foreground.mjs");
  process.exitCode = await runForeground(node, [here(import.meta.url), ...process.argv.slice(2)]);
}

function stop(message) {
  process.stderr.write(`varve: ${message}\n`);
  process.exitCode = 1;
}
