// For the rules' own tests: a Repository from literals.
import { type Manifest, Repository } from "./repository.ts";

/** A manifest is given as an object, everything else as text. */
export function repositoryOf(files: Readonly<Record<string, string | Manifest>>): Repository {
  return new Repository(
    new Map(
      Object.entries(files).map(([path, content]) => [
        path,
        typeof content === "string" ? content : JSON.stringify(content),
      ]),
    ),
  );
}
