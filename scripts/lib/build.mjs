// Builds packages and applications, only those whose sources changed (turbo keeps the rest).
import { runQuietly } from "./quiet.mjs";
import { root, say, toolEnvironment } from "./workspace.mjs";

/**
 * Silent when it works.
 * @returns {Promise<number>} exit code
 */
export async function build() {
  const args = ["run", "build", "--output-logs=errors-only", "--log-order=grouped"];
  const result = await runQuietly("turbo", args, { cwd: root, env: toolEnvironment() });
  if (result.code !== 0) {
    process.stderr.write(result.output);
    say("the build failed");
  }
  return result.code;
}
