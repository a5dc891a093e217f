// Whatever a package exports carries a TSDoc comment where it is declared.
import type { Repository } from "../repository.ts";
import { type SourceFile, nameOf } from "../source-file.ts";
import { posix } from "node:path";

export function checkDocumented(repository: Repository): string[] {
  return repository
    .paths(/^packages\/[^/]+\/src\/(.+\/)?index\.ts$/)
    .map((path) => repository.source(path))
    .flatMap((index) => exportedNames(index).flatMap(({ name, from }) => problem(repository, index.path, name, from)));
}

function exportedNames({ program }: SourceFile): { name: string; from: string }[] {
  return program.body.flatMap((node) => {
    if (node.type !== "ExportNamedDeclaration" || node.source === null) return [];
    const from = node.source.value;
    return from.startsWith(".") ? node.specifiers.map(({ local }) => ({ name: nameOf(local), from })) : [];
  });
}

function problem(repository: Repository, importer: string, name: string, from: string): string[] {
  const path = posix.join(posix.dirname(importer), from);
  if (!repository.files.has(path)) return [`${importer} exports ${name} from ${from}, which does not exist.`];
  const source = repository.source(path);
  const passedOn = exportedNames(source).find((exported) => exported.name === name);
  if (passedOn !== undefined) return problem(repository, path, name, passedOn.from);
  const declarations = declarationsOf(source, name);
  if (declarations.length === 0)
    return [`${importer} exports ${name}, which ${path} does not declare at its top level.`];
  return declarations.some((offset) => source.isDocumentedAt(offset))
    ? []
    : [`${path}: ${name} is public and has no TSDoc comment.`];
}

/** Where the declarations of a name begin: several for overloads, or for a type and a value of one name. */
function declarationsOf({ program }: SourceFile, name: string): number[] {
  return program.body.flatMap((statement) => {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration === null) return [];
    if (declaration.type === "VariableDeclaration") {
      return declaration.declarations.some(({ id }) => id.type === "Identifier" && id.name === name)
        ? [statement.start]
        : [];
    }
    if (!("id" in declaration) || declaration.id === null) return [];
    const { id } = declaration;
    return "name" in id && id.name === name ? [statement.start] : [];
  });
}
