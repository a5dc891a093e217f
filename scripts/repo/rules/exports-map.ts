// A package exports what exists, and says so in the one form that every resolver reads alike.
import type { Repository, WorkspacePackage } from "../repository.ts";

export function checkExports(repository: Repository): string[] {
  return repository.packages
    .filter(({ kind }) => kind === "package")
    .flatMap((member) => [...targetProblems(repository, member), ...missingEntryProblems(repository, member)]);
}

/** Each subpath has a source. */
function targetProblems(repository: Repository, { directory, manifest }: WorkspacePackage): string[] {
  const where = `${directory}/package.json`;
  const entries = Object.entries(manifest.exports ?? {});
  const problems: string[] = [];
  if (manifest.exports?.["."] === undefined) problems.push(`${where} exports no ".".`);
  if (manifest.exports?.["./package.json"] !== "./package.json") {
    problems.push(`${where} should export "./package.json", which tools read.`);
  }
  for (const [subpath, target] of entries) {
    if (subpath === "./package.json") continue;
    if (typeof target === "string" || Object.keys(target).join() !== "types,default") {
      problems.push(`${where} should export "${subpath}" as { types, default }, in this order.`);
      continue;
    }
    const stem = /^\.\/dist\/(.+)\.js$/.exec(target.default ?? "")?.[1];
    if (stem === undefined || target.types !== `./dist/${stem}.d.ts`) {
      problems.push(`${where} exports "${subpath}" with types and default that are not one module under ./dist.`);
    } else if (!repository.files.has(`${directory}/src/${stem}.ts`)) {
      problems.push(`${where} exports "${subpath}", but ${directory}/src/${stem}.ts does not exist.`);
    }
  }
  return problems;
}

/** Each `src/**\/index.ts` is an exported subpath: there is no other reason to have one. */
function missingEntryProblems(repository: Repository, { directory, manifest }: WorkspacePackage): string[] {
  const targets = Object.values(manifest.exports ?? {}).map((target) =>
    typeof target === "string" ? target : target.default,
  );
  const prefix = `${directory}/src/`;
  return repository
    .paths(/(^|\/)index\.ts$/)
    .filter((path) => path.startsWith(prefix))
    .filter((path) => !targets.includes(`./dist/${path.slice(prefix.length, -".ts".length)}.js`))
    .map(
      (path) => `${path} is not a subpath in ${directory}/package.json: export it, or give the file a name of its own.`,
    );
}
