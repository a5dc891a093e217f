// How modules meet: named exports, by package name, with `index.ts` as a table of contents. And nothing
// that silences a check, or promises to come back later.
import { posix } from "node:path";
import type { Repository, WorkspacePackage } from "../repository.ts";
import { packageOf, roleOf } from "../repository.ts";
import type { SourceFile } from "../source-file.ts";

export function checkModuleStyle(repository: Repository): string[] {
  return repository.packages.flatMap((member) =>
    repository
      .sourcesOf(member)
      .flatMap((source) => [
        ...(source.syntaxError === undefined ? [] : [`${source.path} does not parse: ${source.syntaxError}.`]),
        ...exportProblems(source, member),
        ...pathProblems(source, member),
        ...commentProblems(source),
        ...focusProblems(source),
      ]),
  );
}

function exportProblems(source: SourceFile, member: WorkspacePackage): string[] {
  const isIndex = /^packages\/[^/]+\/src\/(.+\/)?index\.ts$/.test(source.path);
  return source.program.body.flatMap((node) => {
    const where = `${source.path}:${source.lineAt(node.start)}`;
    if (node.type === "ExportAllDeclaration") {
      return [`${where} exports everything (export *); name what is public.`];
    }
    if (node.type === "ExportDefaultDeclaration" && !source.path.endsWith(".config.ts")) {
      return [`${where} has a default export; name it.`];
    }
    if (!isIndex) return [];
    if (node.type !== "ExportNamedDeclaration" || node.source === null) {
      return [`${where} is more than a named re-export; index.ts is a table of contents.`];
    }
    const from = packageOf(node.source.value);
    return from === undefined || member.name === "varve"
      ? []
      : [`${where} re-exports ${from}; only the package varve re-exports others.`];
  });
}

function pathProblems(source: SourceFile, { directory }: WorkspacePackage): string[] {
  return source
    .imports()
    .filter(({ specifier }) => specifier.startsWith("."))
    .filter(({ specifier }) => !posix.join(posix.dirname(source.path), specifier).startsWith(`${directory}/`))
    .map(({ specifier, line }) => `${source.path}:${line} reaches into ${specifier}; import other packages by name.`);
}

// Put together here, or this file would break its own rule.
const later = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`);
const silencers = /@ts-(ignore|nocheck)|(eslint|oxlint)-disable|biome-ignore|v8 ignore/;

function commentProblems(source: SourceFile): string[] {
  return source.comments().flatMap(({ text, line }) => {
    const where = `${source.path}:${line}`;
    const postponed = later.exec(text);
    if (postponed !== null) return [`${where} says ${postponed[0]}; do it, or write down why not.`];
    const silenced = silencers.exec(text);
    if (silenced !== null) return [`${where} silences a check (${silenced[0]}); mend what it reports.`];
    return text.includes("@ts-expect-error") && roleOf(source.path) !== "test"
      ? [`${where} expects a type error; outside of tests, mend it.`]
      : [];
  });
}

/** A test that is skipped, focused or only announced. `skipIf` and `runIf` state their reason, and may stay. */
function focusProblems(source: SourceFile): string[] {
  if (roleOf(source.path) !== "test") return [];
  return [...source.text.matchAll(/\b(it|test|describe)\.(only|skip|todo)\b/g)].map(
    (match) => `${source.path}:${source.lineAt(match.index)} has ${match[0]}; run the test or remove it.`,
  );
}
