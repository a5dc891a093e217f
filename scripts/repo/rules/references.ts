// tsc builds in the order of project references: one that is missing shows up as a stale build, much later.
import type { Repository } from "../repository.ts";
import { dependenciesOf } from "../repository.ts";

export function checkReferences(repository: Repository): string[] {
  const directories = new Map(repository.packages.map(({ name, directory }) => [name, directory]));
  const root = referencesIn(repository, "tsconfig.json");
  return repository.packages.flatMap(({ directory, manifest }) => {
    const path = `${directory}/tsconfig.json`;
    const own = targetsIn(repository, path);
    const tests = targetsIn(repository, `${directory}/tsconfig.test.json`);
    const problems = [...dependenciesOf(manifest).keys()].flatMap((name) => {
      const target = directories.get(name);
      const isForTests = manifest.devDependencies?.[name] !== undefined;
      return target === undefined || own.includes(target) || (isForTests && tests.includes(target))
        ? []
        : [`${path} should reference ../../${target}, because package.json depends on ${name}.`];
    });
    // The linter finds the types of a test through the root.
    for (const reference of [directory, `${directory}/tsconfig.test.json`]) {
      if (!root.includes(reference)) problems.push(`tsconfig.json at the root should reference ${reference}.`);
    }
    return problems;
  });
}

function targetsIn(repository: Repository, path: string): string[] {
  return referencesIn(repository, path).map((reference) => reference.replace(/^\.\.\/\.\.\//, ""));
}

function referencesIn(repository: Repository, path: string): string[] {
  const config: { references?: { path: string }[] } = JSON.parse(repository.files.get(path) ?? "{}");
  return (config.references ?? []).map((reference) => reference.path);
}
