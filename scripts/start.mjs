// npm start [-- args]: sets up, builds what changed, and runs the sample application. Its arguments,
// its signals and its exit code are those of this command.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { runForeground } from "./lib/foreground.mjs";
import { setUp } from "./lib/setup.mjs";
import { root, say, toolEnvironment } from "./lib/workspace.mjs";

const entry = join(root, "apps", "ingest", "dist", "main.js");

const node = setUp();
// The command line too, so that `npx varve` can look at what the application writes.
const buildCode = await build(["@varve/ingest", "@varve/cli"]);
if (buildCode !== 0) {
  say("not started, because the build failed: mend what it reports, then run `npm start` again");
  process.exitCode = buildCode;
} else if (!existsSync(entry)) {
  say("apps/ingest is built but has no dist/main.js: run `npm run clean`, then `npm start` again");
  process.exitCode = 1;
} else {
  process.exitCode = await runForeground(node, [entry, ...process.argv.slice(2)], { env: toolEnvironment() });
}
