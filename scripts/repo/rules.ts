// Every rule of the repository, by what it keeps true.
import type { Rule } from "./repository.ts";
import { checkArrows } from "./rules/arrows.ts";
import { checkDocumented } from "./rules/documented.ts";
import { checkExports } from "./rules/exports-map.ts";
import { checkGenerated } from "./rules/generated.ts";
import { checkManifests } from "./rules/manifest-shape.ts";
import { checkModuleStyle } from "./rules/module-style.ts";
import { checkOwners } from "./rules/owners.ts";
import { checkReadmes } from "./rules/readme.ts";
import { checkReferences } from "./rules/references.ts";
import { checkTimeAndChance } from "./rules/time-and-chance.ts";
import { checkTopLevel } from "./rules/top-level.ts";

export const rules: Readonly<Record<string, Rule>> = {
  "dependency arrows point down": checkArrows,
  "every third-party library has one owner": checkOwners,
  "exports and sources agree": checkExports,
  "manifests have the same shape, pins agree": checkManifests,
  "project references follow dependencies": checkReferences,
  "time and randomness come through their parts": checkTimeAndChance,
  "modules meet by name": checkModuleStyle,
  "READMEs answer the same questions in order": checkReadmes,
  "the top level stays short": checkTopLevel,
  "public names are documented": checkDocumented,
  "generated documents are as their sources": checkGenerated,
};
