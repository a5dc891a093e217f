// docs/errors.md, made from the lists of codes where they are declared.
import type { Repository } from "../repo/repository.ts";
import { type CodeList, codeListsOf } from "./code-list.ts";
import { exitCodesOf } from "./exit-codes.ts";

const exitCodesPath = "apps/cli/src/exit-codes.ts";

/** The page, ending in a newline. */
export function errorPage(repository: Repository): string {
  const lists = listsOf(repository);
  return [
    "<!-- Made by `npm run docs` from the lists of codes in the sources. Change those. -->",
    "# Error codes",
    "",
    "Every failure carries a `code` of a closed list. Test it, never the message, which may change in any release, nor the",
    "class: two copies of a package may be loaded in one process. `cause` keeps what led to a failure. A column *again later*",
    "says where `error.retryable` is true: the same call may succeed later.",
    ...lists.filter(({ list }) => isOfErrors(list)).flatMap(({ title, list }) => ["", ...section(title, list)]),
    "",
    ...exitCodeSection(repository),
    ...lists.filter(({ list }) => !isOfErrors(list)).flatMap(({ title, list }) => ["", ...section(title, list)]),
    "",
  ].join("\n");
}

/** Sentences about codes that nobody explained. */
export function unexplainedCodes(repository: Repository): string[] {
  return listsOf(repository).flatMap(({ path, list }) =>
    list.codes
      .filter(({ meaning }) => meaning === "")
      .map(({ code }) => `${path}: ${code} needs a comment on its line that says what it means.`),
  );
}

/** Other lists are of what is reported and not thrown. */
function isOfErrors({ name }: CodeList): boolean {
  return name.endsWith("ErrorCodes");
}

/** Lists of all packages, that of the log first; then the command's own. */
function listsOf(repository: Repository): { readonly title: string; readonly path: string; readonly list: CodeList }[] {
  const members = repository.packages.toSorted((one, other) => rank(one.name) - rank(other.name));
  return members.flatMap((member) => {
    const sources =
      member.kind === "package"
        ? repository.sourcesOf(member, "src/")
        : repository.paths(/./).includes(exitCodesPath) && exitCodesPath.startsWith(`${member.directory}/`)
          ? [repository.source(exitCodesPath)]
          : [];
    return sources.flatMap((source) =>
      codeListsOf(source).map((list) => ({ title: member.name, path: source.path, list })),
    );
  });
}

function rank(name: string): number {
  return name.endsWith("/aof") ? 0 : name.endsWith("/cli") ? 2 : 1;
}

function section(title: string, list: CodeList): string[] {
  const { name, errorClass, codes } = list;
  const carrier = isOfErrors(list) ? errorClass : name;
  const isOrdered = codes.some(({ action }) => action !== undefined);
  const canRetry = codes.some(({ isRetryable }) => isRetryable);
  const row = (cells: readonly (string | false)[]): string =>
    `| ${cells
      .filter((cell) => cell !== false)
      .map(cellOf)
      .join(" | ")} |`;
  const titles = [
    "code",
    "meaning",
    isOrdered && (isOfErrors(list) ? "what to do" : "how bad"),
    canRetry && "again later",
  ];
  return [
    `## ${title}${carrier === undefined ? "" : `: \`${carrier}\``}`,
    "",
    row(titles),
    row(titles.map((cell) => cell !== false && "---")),
    ...codes.map(({ code, meaning, action = "", isRetryable }) =>
      row([`\`${code}\``, sentence(meaning), isOrdered && action, canRetry && (isRetryable ? "yes" : "")]),
    ),
  ];
}

function exitCodeSection(repository: Repository): string[] {
  const codes = repository.files.has(exitCodesPath) ? exitCodesOf(repository.source(exitCodesPath)) : [];
  if (codes.length === 0) return [];
  return [
    "## Exit codes of the command",
    "",
    "A signal ends the command with 128 plus its number.",
    "",
    "| exit code | what to do | failures |",
    "| --- | --- | --- |",
    ...codes.map(
      ({ number, meaning, failures }) =>
        `| ${number} | ${cellOf(meaning)} | ${failures.map((code) => `\`${code}\``).join(", ")} |`,
    ),
  ];
}

function sentence(text: string): string {
  return text === "" ? "" : `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

function cellOf(text: string): string {
  return text.replaceAll("|", "\\|");
}
