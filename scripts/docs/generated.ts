// Documents that are made from sources, by path.
import type { Repository } from "../repo/repository.ts";
import { errorPage } from "./error-page.ts";

export const generatedDocuments: Readonly<Record<string, (repository: Repository) => string>> = {
  "docs/errors.md": errorPage,
};
