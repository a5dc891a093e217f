// The exit codes of a command as their source states them: an object `exitCode` of numbers, each with a documentation
// comment, and an object `byCode` that gives each failure one of them.
import { type SourceFile, walk } from "../repo/source-file.ts";

export interface ExitCode {
  readonly name: string;
  readonly number: number;
  readonly meaning: string;
  /** Codes of failures that end with it. */
  readonly failures: readonly string[];
}

/** In the order of their source; none when the file has no object `exitCode`. */
export function exitCodesOf(source: SourceFile): ExitCode[] {
  const byLine = new Map(source.comments().map(({ text, line }) => [line, text.replace(/^\*/, "").trim()]));
  const codes: { name: string; number: number; meaning: string; failures: string[] }[] = [];
  for (const { name, value, start } of propertiesOf(source, "exitCode")) {
    if (value.type !== "Literal" || typeof value.value !== "number") continue;
    codes.push({ name, number: value.value, meaning: byLine.get(source.lineAt(start) - 1) ?? "", failures: [] });
  }
  for (const { name, value } of propertiesOf(source, "byCode")) {
    if (value.type !== "MemberExpression" || value.property.type !== "Identifier") continue;
    const target = value.property.name;
    codes.find((code) => code.name === target)?.failures.push(name);
  }
  return codes;
}

type Property = Extract<Parameters<Parameters<typeof walk>[1]>[0], { type: "Property" }>;

function propertiesOf(
  source: SourceFile,
  variable: string,
): { name: string; value: Property["value"]; start: number }[] {
  const found: { name: string; value: Property["value"]; start: number }[] = [];
  walk(source.program, (node) => {
    if (node.type !== "VariableDeclarator" || node.id.type !== "Identifier" || node.id.name !== variable) return;
    const init = node.init?.type === "TSAsExpression" ? node.init.expression : node.init;
    if (init?.type !== "ObjectExpression") return;
    for (const property of init.properties) {
      if (property.type !== "Property" || property.key.type !== "Identifier") continue;
      found.push({ name: property.key.name, value: property.value, start: property.start });
    }
  });
  return found;
}
