// A package's README answers the same questions in the same order, and its links lead somewhere.
import { posix } from "node:path";
import type { Repository, WorkspacePackage } from "../repository.ts";

/** What each heading of a package README is about, in order. A README may have further ones in between. */
const sections: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: "Install", pattern: /install/i },
  { name: "Example", pattern: /example|usage/i },
  { name: "Guarantees", pattern: /guarantee|promise/i },
  { name: "Limits", pattern: /limit|does not do/i },
  { name: "Settings", pattern: /setting|option/i },
  { name: "Errors", pattern: /error/i },
];

export function checkReadmes(repository: Repository): string[] {
  return [
    ...repository.packages
      .filter(({ kind }) => kind === "package")
      .flatMap((member) => packageProblems(repository, member)),
    ...rootProblems(repository),
    ...repository.paths(/\.md$/).flatMap((path) => linkProblems(repository, path)),
  ];
}

function packageProblems(repository: Repository, { directory, name }: WorkspacePackage): string[] {
  const path = `${directory}/README.md`;
  const text = repository.files.get(path);
  if (text === undefined) return [`${directory} has no README.md.`];
  const prose = withoutCode(text);
  const problems: string[] = [];
  const [title = "", firstLine = ""] = prose.split("\n").filter((line) => line.trim() !== "");
  if (title !== `# ${name}`) problems.push(`${path} should begin with "# ${name}".`);
  if (!/^[^#|<!-].*[.:]$|^[^#|<!-].{20,}/.test(firstLine)) {
    problems.push(`${path} should say in one sentence, right below its title, what the package is for.`);
  }
  const headings = [...prose.matchAll(/^## +(.+)$/gm)].map((match) => match[1] ?? "");
  let from = 0;
  for (const { name: section, pattern } of sections) {
    const at = headings.findIndex((heading, index) => index >= from && pattern.test(heading));
    if (at >= 0) from = at + 1;
    else if (headings.some((heading) => pattern.test(heading))) {
      problems.push(
        `${path} has "## ${section}" out of order; the order is ${sections.map((s) => s.name).join(", ")}.`,
      );
    } else problems.push(`${path} has no section "## ${section}".`);
  }
  if (!/^```ts run$/m.test(text))
    problems.push(`${path} has no example that runs as a test: fence one with \`\`\`ts run.`);
  if (repository.files.has(`${directory}/FORMAT.md`) && !prose.includes("FORMAT.md")) {
    problems.push(`${path} should link to FORMAT.md, which describes the bytes on disk.`);
  }
  return problems;
}

function rootProblems(repository: Repository): string[] {
  const text = repository.files.get("README.md");
  if (text === undefined) return ["There is no README.md at the root."];
  return [
    ...["npm start", "npm test"]
      .filter((command) => !text.includes(command))
      .map((command) => `README.md does not show ${command}.`),
    ...repository.packages
      .filter(({ directory }) => !text.includes(directory))
      .map(({ directory }) => `README.md does not mention ${directory}.`),
  ];
}

/** Links to files of the repository; an address or an anchor is nothing that this tree can judge. */
function linkProblems(repository: Repository, path: string): string[] {
  const links = [...withoutCode(repository.files.get(path) ?? "").matchAll(/\]\(([^)\s#]+)(#[^)]*)?\)/g)];
  return links.flatMap((match) => {
    const target = match[1] ?? "";
    if (/^[a-z]+:/i.test(target)) return [];
    const resolved = posix.join(posix.dirname(path), target).replace(/\/$/, "");
    const exists =
      repository.files.has(resolved) || repository.paths(/./).some((file) => file.startsWith(`${resolved}/`));
    return exists ? [] : [`${path} links to ${target}, which does not exist.`];
  });
}

function withoutCode(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, "").replace(/`[^`\n]*`/g, (code) => (code.includes("](") ? "" : code));
}
