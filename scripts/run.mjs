// node scripts/run.mjs [--build=<package>] <program> [args]: runs a program of the workspace on the
// workspace's own Node, after making sure that everything is installed and, if asked, that a package and
// what it depends on are built. The npm scripts are made of it.
import { build } from "./lib/build.mjs";
import { runForeground } from "./lib/foreground.mjs";
import { setUp } from "./lib/setup.mjs";
import { root, say, toolEnvironment } from "./lib/workspace.mjs";

const [first = "", ...rest] = process.argv.slice(2);
const target = /^--build=(.+)$/.exec(first)?.[1];
const [program, ...args] = target === undefined ? [first, ...rest] : rest;
if (program === undefined || program === "") {
  say("usage: node scripts/run.mjs [--build=<package>] <program> [args]");
  process.exit(2);
}

const node = setUp();
const buildCode = target === undefined ? 0 : await build([target]);
process.exitCode =
  buildCode === 0
    ? await runForeground(program === "node" ? node : program, args, { cwd: root, env: toolEnvironment() })
    : buildCode;
