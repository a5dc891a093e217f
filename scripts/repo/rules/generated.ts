// Documents that are made from sources are what those make now, and the sources say enough to make them.
import { unexplainedCodes } from "../../docs/error-page.ts";
import { generatedDocuments } from "../../docs/generated.ts";
import type { Repository } from "../repository.ts";

export function checkGenerated(repository: Repository): string[] {
  const stale = Object.entries(generatedDocuments)
    .filter(([path, make]) => repository.files.get(path) !== make(repository))
    .map(([path]) => `${path} is not what its sources make of it now; npm run docs writes it.`);
  return [...unexplainedCodes(repository), ...stale];
}
