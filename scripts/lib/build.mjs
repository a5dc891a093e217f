// Builds packages and applications, only those whose sources changed (turbo keeps the rest).
import { runQuietly } from "./quiet.mjs";
import { root, say, toolEnvironment } from "./workspace.mjs";

/**
 * Silent when it works.
 * @param {readonly string[]} [targets] package names, each with what it depends on; everything if left out
 * @returns {Promise<number>} exit code
 */
export async function build(targets = []) {
  const filters = targets.map((target) => `--filter=${target}`);
  const args = ["run", "build", "--output-logs=errors-only", "--log-order=grouped", ...filters];
  const result = await runQuietly("turbo", args, { cwd: root, env: toolEnvironment() });
  if (result.code !== 0) {
    process.stderr.write(result.output);
    say("the build failed");
  }
  return result.code;
}
