// npm run docs: writes every document that is made from sources.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedDocuments } from "./docs/generated.ts";
import { root, say } from "./lib/workspace.mjs";
import { readRepository } from "./repo/repository.ts";

const repository = readRepository(root);
for (const [path, make] of Object.entries(generatedDocuments)) {
  const text = make(repository);
  if (repository.files.get(path) === text) continue;
  writeFileSync(join(root, path), text);
  say(`wrote ${path}`);
}
