// Every third-party library has one owner, so that replacing it, or working around its faults, is a change
// in one place. Tools that tests and benches share live at the root.
import type { Repository, WorkspacePackage } from "../repository.ts";
import { dependenciesOf, packageOf, roleOf } from "../repository.ts";

/** Library, or scope ending in `/` → the folder that may import it. */
const owners: Readonly<Record<string, string>> = {
  lmdb: "packages/segment-index/src/lmdb/",
  "hdr-histogram-js": "packages/flush-metrics/",
  "@opentelemetry/api": "packages/flush-metrics/",
  avsc: "packages/wal-store/",
  "smol-toml": "packages/varve/",
  valibot: "packages/varve/",
  "@aws-sdk/": "packages/fs-s3/",
  "@azure/": "packages/fs-azure/",
  "@google-cloud/": "packages/fs-gcs/",
  cac: "apps/cli/",
  "vega-datasets": "apps/ingest/",
};

/** Comparing with libraries, or being used by them, is what these are for: they may use any. */
const comparing: readonly string[] = ["apps/bench", "apps/cloud-servers"];

export function checkOwners(repository: Repository): string[] {
  const workspaceNames = new Set(repository.packages.map(({ name }) => name));
  const isOurs = (name: string): boolean => workspaceNames.has(name) || name.startsWith("@varve/") || name === "varve";
  return [
    ...repository.packages
      .filter(({ directory }) => !comparing.includes(directory))
      .flatMap((member) => [...runtimeProblems(member, isOurs), ...importProblems(repository, member, isOurs)]),
    ...sharedToolProblems(repository, isOurs),
  ];
}

type IsOurs = (name: string) => boolean;

/** Libraries that users install with the package. */
function runtimeProblems({ directory, manifest }: WorkspacePackage, isOurs: IsOurs): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
    .filter((name) => !isOurs(name))
    .flatMap((name) => {
      const owner = ownerOf(name);
      if (owner === undefined) {
        return [
          `${directory}/package.json depends on ${name}, which has no owner: enter one in scripts/repo/rules/owners.ts.`,
        ];
      }
      return owner.startsWith(`${directory}/`)
        ? []
        : [`${directory}/package.json depends on ${name}, but that library belongs to ${owner}.`];
    });
}

function importProblems(repository: Repository, member: WorkspacePackage, isOurs: IsOurs): string[] {
  return repository.sourcesOf(member).flatMap((source) =>
    source.imports().flatMap(({ specifier, line }) => {
      const name = packageOf(specifier);
      const owner = name === undefined || isOurs(name) ? undefined : ownerOf(name);
      if (owner === undefined) return [];
      // A package's tests may use its own library anywhere, to look at what its code wrote.
      const allowed = roleOf(source.path) === "source" ? owner : `${owner.split("/").slice(0, 2).join("/")}/`;
      return source.path.startsWith(allowed)
        ? []
        : [`${source.path}:${line} imports ${name}, which only ${owner} may import.`];
    }),
  );
}

function ownerOf(name: string): string | undefined {
  return owners[name] ?? Object.entries(owners).find(([scope]) => scope.endsWith("/") && name.startsWith(scope))?.[1];
}

/** A library that two packages, or a package and the root, install for development. */
function sharedToolProblems(repository: Repository, isOurs: IsOurs): string[] {
  const users = new Map<string, string[]>();
  const members = repository.packages.filter(({ directory }) => !comparing.includes(directory));
  for (const { directory, manifest } of [...members, { directory: "the root", manifest: repository.root }]) {
    for (const name of dependenciesOf(manifest).keys()) {
      if (!isOurs(name)) users.set(name, [...(users.get(name) ?? []), directory]);
    }
  }
  return [...users]
    .filter(([, directories]) => directories.length > 1)
    .map(
      ([name, directories]) =>
        `${name} is installed by ${directories.join(" and ")}; one place is enough, the root if both need it.`,
    );
}
