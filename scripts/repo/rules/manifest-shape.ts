// The fields that every manifest here has, and the versions that are written down in more than one place.
import type { Repository, WorkspacePackage } from "../repository.ts";

const engines = ">=22.15";
const setupMinimum = "18";

export function checkManifests(repository: Repository): string[] {
  return [...repository.packages.flatMap(fieldProblems), ...pinProblems(repository)];
}

function fieldProblems({ directory, kind, manifest }: WorkspacePackage): string[] {
  const wanted: [boolean, string][] = [
    [manifest.type === "module", '"type": "module"'],
    [manifest.license === "Apache-2.0", '"license": "Apache-2.0"'],
    [manifest.engines?.node === engines, `"engines": { "node": "${engines}" }`],
    [(manifest.description ?? "") !== "", 'a "description"'],
  ];
  if (kind === "app") wanted.push([manifest.private === true, '"private": true']);
  else {
    wanted.push(
      [manifest.sideEffects === false, '"sideEffects": false'],
      [manifest.files?.includes("dist") === true, '"files" with "dist"'],
      [manifest.files?.includes("!dist/**/*.tsbuildinfo") === true, '"files" without build information'],
    );
  }
  return wanted.filter(([holds]) => !holds).map(([, what]) => `${directory}/package.json lacks ${what}.`);
}

/** One fact, several files: each file is read by a tool that cannot read the others. */
function pinProblems(repository: Repository): string[] {
  const { root } = repository;
  const text = (path: string): string => repository.files.get(path) ?? "";
  const pnpm = root.devDependencies?.["pnpm"] ?? "";
  const minimum = engines.slice(2);
  const wanted: [boolean, string][] = [
    [root.packageManager === `pnpm@${pnpm}`, `package.json: packageManager and devDependencies.pnpm (${pnpm}) differ.`],
    [
      text("scripts/lib/setup.mjs").includes(`pnpmVersion = "${pnpm}"`),
      `scripts/lib/setup.mjs: pnpmVersion is not the ${pnpm} of package.json.`,
    ],
    [
      root.engines?.node === `>=${setupMinimum}`,
      `package.json: engines.node is not ">=${setupMinimum}", what setting up needs; packages ask for more.`,
    ],
    [
      text("scripts/lib/node-version.mjs").includes(`minimumSetupNode = "${setupMinimum}.0.0"`),
      `scripts/lib/node-version.mjs: minimumSetupNode is not the ${setupMinimum} of the root's engines.`,
    ],
    [
      text("scripts/lib/node-version.mjs").includes(`minimumNode = "${minimum}.0"`),
      `scripts/lib/node-version.mjs: minimumNode is not the ${minimum} of engines.`,
    ],
    [
      text("apps/cli/bin/varve.mjs").includes(`minimum = [${minimum.replace(".", ", ")}]`),
      `apps/cli/bin/varve.mjs: minimum is not the ${minimum} of engines.`,
    ],
  ];
  return wanted.filter(([holds]) => !holds).map(([, problem]) => problem);
}
