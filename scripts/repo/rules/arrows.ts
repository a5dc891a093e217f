// Dependency arrows point down, and only along the edges drawn here. Adding a package starts with a line
// in this table.
import type { Repository, WorkspacePackage } from "../repository.ts";
import { dependenciesOf, packageOf, roleOf } from "../repository.ts";

const backend = { layer: 1, may: ["@varve/fs-core"] };

/** Package → its layer and the workspace packages it may use, in its manifest and in any file. */
export const arrows: Readonly<Record<string, { readonly layer: number; readonly may: readonly string[] }>> = {
  "@varve/fs-core": { layer: 0, may: [] },
  "@varve/segment-index": backend,
  "@varve/flush-metrics": backend,
  "@varve/fs-s3": backend,
  "@varve/fs-azure": backend,
  "@varve/fs-gcs": backend,
  "@varve/archiver": { layer: 2, may: ["@varve/segment-index", "@varve/fs-core"] },
  "@varve/placement": { layer: 2, may: ["@varve/fs-core"] },
  "@varve/aof": {
    layer: 3,
    may: ["@varve/archiver", "@varve/segment-index", "@varve/flush-metrics", "@varve/fs-core"],
  },
  "@varve/wal-store": { layer: 3, may: ["@varve/flush-metrics", "@varve/fs-core"] },
  varve: {
    layer: 4,
    may: [
      "@varve/aof",
      "@varve/wal-store",
      "@varve/archiver",
      "@varve/placement",
      "@varve/segment-index",
      "@varve/flush-metrics",
      "@varve/fs-s3",
      "@varve/fs-azure",
      "@varve/fs-gcs",
      "@varve/fs-core",
    ],
  },
};

/** Servers that stand for the clouds: anybody's tests may use them, nobody's code. */
const testServers = "@varve/cloud-servers";

export function checkArrows(repository: Repository): string[] {
  const members = new Map(repository.packages.map((member) => [member.name, member]));
  const isMember = (name: string): boolean => members.has(name) || name in arrows;
  return repository.packages.flatMap((from) => {
    if (from.kind === "package" && !(from.name in arrows)) {
      return [`${from.directory} (${from.name}) has no arrows yet: give it a layer in scripts/repo/rules/arrows.ts.`];
    }
    const declared = dependenciesOf(from.manifest);
    const problems: string[] = [];
    for (const [name, range] of declared) {
      if (!isMember(name)) continue;
      if (!mayUse(from, name, members) && !isTestServer(from, name)) {
        problems.push(refusal(from, name, `${from.directory}/package.json`));
      }
      if (!range.startsWith("workspace:")) {
        problems.push(
          `${from.directory}/package.json asks for ${name} ${range}; a package of this workspace is "workspace:*".`,
        );
      }
    }
    for (const source of repository.sourcesOf(from)) {
      for (const { specifier, line } of source.imports()) {
        const name = packageOf(specifier);
        if (name === undefined || !isMember(name) || name === from.name) continue;
        const isTested = isTestServer(from, name) && roleOf(source.path) !== "source";
        if (!mayUse(from, name, members) && !isTested) {
          problems.push(refusal(from, name, `${source.path}:${line}`));
        } else if (!declared.has(name)) {
          problems.push(`${source.path}:${line} imports ${name}, which ${from.directory}/package.json does not list.`);
        }
      }
    }
    return problems;
  });
}

function mayUse(from: WorkspacePackage, name: string, members: ReadonlyMap<string, WorkspacePackage>): boolean {
  if (from.kind === "app") return members.get(name)?.kind !== "app";
  return arrows[from.name]?.may.includes(name) === true;
}

/** Listed for development only. */
function isTestServer({ manifest }: WorkspacePackage, name: string): boolean {
  return name === testServers && manifest.devDependencies?.[name] !== undefined;
}

function refusal(from: WorkspacePackage, name: string, where: string): string {
  if (from.kind === "app") return `${where} uses ${name}, another application; applications may use packages only.`;
  const { layer, may } = arrows[from.name] ?? { layer: 0, may: [] };
  const allowed = may.length === 0 ? "nothing of this workspace" : `only ${may.join(", ")}`;
  return `${where} uses ${name}, but ${from.name} (layer ${layer}) may use ${allowed}.`;
}
