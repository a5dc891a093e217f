// The first screen a newcomer sees stays short: what is not listed here lives one level down.
import type { Repository } from "../repository.ts";

const required = [
  "package.json",
  "pnpm-workspace.yaml",
  "turbo.json",
  "tsconfig.base.json",
  "packages",
  "apps",
  ".changeset",
  "README.md",
];
const allowed = [
  ...required,
  "docs",
  "scripts",
  ".ci",
  "LICENSE",
  ".gitignore",
  "pnpm-lock.yaml",
  // Where tsc --build, editors and the linter begin.
  "tsconfig.json",
];

export function checkTopLevel(repository: Repository): string[] {
  const entries = new Set([...repository.files.keys()].map((path) => path.split("/")[0] ?? ""));
  return [
    ...required.filter((name) => !entries.has(name)).map((name) => `The top level lacks ${name}.`),
    ...[...entries]
      .filter((name) => !allowed.includes(name))
      .map(
        (name) => `${name} does not belong on the top level; configuration goes to scripts/config, documents to docs.`,
      ),
  ];
}
