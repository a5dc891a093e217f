// npm run check:packages: packs every public package as it would be published, and examines the tarball:
// its exports resolve, its types fit them, and it carries neither tests nor leftovers of an older build.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runQuietly } from "./lib/quiet.mjs";
import { root, say, toolEnvironment } from "./lib/workspace.mjs";

const environment = toolEnvironment();
const target = mkdtempSync(join(tmpdir(), "varve-pack-"));
/** @type {string[]} */
const problems = [];
// On exit and not in a finally: a signal ends the process on the spot.
process.once("exit", () => rmSync(target, { recursive: true, force: true }));
await Promise.all(publicPackages().map(check));
for (const problem of problems) say(problem);
if (problems.length > 0) process.exitCode = 1;

/** @returns {{ directory: string, name: string }[]} */
function publicPackages() {
  return readdirSync(join(root, "packages"))
    .map((name) => join(root, "packages", name))
    .filter((directory) => existsSync(join(directory, "package.json")))
    .map((directory) => ({ directory, ...JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) }))
    .filter((manifest) => manifest.private !== true);
}

/** @param {{ directory: string, name: string }} manifest */
async function check({ directory, name }) {
  const packed = await run(name, directory, "pnpm", ["pack", "--json", "--pack-destination", target]);
  if (packed === undefined) return;
  const { filename, files } = JSON.parse(packed);
  examineFiles(
    name,
    directory,
    files.map((/** @type {{ path: string }} */ file) => file.path),
  );
  await run(name, directory, "publint", ["run", filename, "--strict"]);
  await run(name, directory, "attw", [filename, "--profile", "esm-only", "--no-definitely-typed", "--no-emoji"]);
}

/**
 * @param {string} name
 * @param {string} directory
 * @param {readonly string[]} files
 */
function examineFiles(name, directory, files) {
  for (const required of ["README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"]) {
    if (!files.includes(required)) problems.push(`${name}: the tarball lacks ${required}`);
  }
  for (const file of files) {
    if (/\.test\.|\.tsbuildinfo$|^(src|test|bench)\//.test(file)) {
      problems.push(`${name}: the tarball carries ${file}, which no user needs`);
    }
    const built = /^dist\/(.+)\.(js|d\.ts)$/.exec(file);
    if (built !== null && !existsSync(join(directory, "src", `${built[1]}.ts`))) {
      problems.push(`${name}: ${file} has no source any more; run \`npm run clean\` and build again`);
    }
  }
}

/**
 * @param {string} name
 * @param {string} cwd
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<string | undefined>} its standard output; undefined if it failed, which is then noted
 */
async function run(name, cwd, program, args) {
  const { code, output, stdout } = await runQuietly(program, args, { cwd, env: environment });
  if (code === 0) return stdout;
  problems.push(`${name}: ${program} ${args[0]} failed with exit code ${code}\n${output}`);
  return undefined;
}
