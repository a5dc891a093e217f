// node scripts/run.mjs <program> [args]: runs a program of the workspace on the workspace's own Node,
// after making sure that everything is installed. The npm scripts are made of it.
import { runForeground } from "./lib/foreground.mjs";
import { setUp } from "./lib/setup.mjs";
import { root, say, toolEnvironment } from "./lib/workspace.mjs";

const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  say("usage: node scripts/run.mjs <program> [args]");
  process.exit(2);
}
const node = setUp();
process.exitCode = await runForeground(program === "node" ? node : program, args, {
  cwd: root,
  env: toolEnvironment(),
});
