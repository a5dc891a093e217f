// Runs every example of every README, and of the documents, as its reader would: in a project of its own where the packages are
// installed by name. An example must type-check, end by itself with exit code 0, and print no error.
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { extractExamples } from "./readme/examples.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
const timeoutMs = 30_000;

const directories = readdirSync(join(root, "packages")).filter((name) =>
  existsSync(join(root, "packages", name, "package.json")),
);
const documents = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const readmes = [
  "README.md",
  ...directories.map((name) => `packages/${name}/README.md`),
  ...documents.map((name) => `docs/${name}`),
];
const examples = readmes
  .filter((path) => existsSync(join(root, path)))
  .flatMap((path) => extractExamples(readFileSync(join(root, path), "utf8")).map((example) => ({ path, ...example })))
  .map((example, index) => ({ ...example, name: `${example.path}:${example.line}`, file: `example-${index}.ts` }));

let project = "";

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "varve-readme-"));
  for (const directory of directories) {
    const from = join(root, "packages", directory);
    install(from, JSON.parse(readFileSync(join(from, "package.json"), "utf8")).name);
  }
  install(join(root, "node_modules", "@types", "node"), "@types/node");
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "es2023",
        lib: ["es2023", "esnext.disposable"],
        types: ["node"],
        module: "nodenext",
        strict: true,
        noEmit: true,
        skipLibCheck: true,
      },
      include: ["*.ts"],
    }),
  );
  for (const { file, code } of examples) writeFileSync(join(project, file), code);
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

function install(from: string, name: string): void {
  const target = join(project, "node_modules", name);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(from, target, "junction");
}

test.runIf(examples.length > 0)("examples type-check", async () => {
  const { stdout } = await run("tsc", ["--project", project], { cwd: root }).catch(
    (error: { stdout: string }) => error,
  );
  const named = examples.reduce((text, { file, name }) => text.replaceAll(`${file}(`, `${name}, line (`), stdout);
  expect(named).toBe("");
});

test.for(examples)("$name runs", { timeout: timeoutMs }, async ({ file }) => {
  const workingDirectory = mkdtempSync(join(project, "run-"));
  const options = { cwd: workingDirectory, timeout: timeoutMs };
  const result = await run(process.execPath, [join(project, file)], options).catch(
    (error: { code: unknown; stderr: string }) => ({ ...error, failed: true }),
  );
  expect(result).not.toHaveProperty("failed");
  expect(result.stderr).toBe("");
});
