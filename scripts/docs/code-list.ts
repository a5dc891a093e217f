// A closed list of codes as its source states it: `export const …Codes = [ … ] as const`, a comment behind
// each code that says what it means, comments on lines of their own that say what to do about those below.
import type { Node } from "oxc-parser";
import { type SourceFile, walk } from "../repo/source-file.ts";

export interface ErrorCode {
  readonly code: string;
  /** Empty when nobody wrote it down. */
  readonly meaning: string;
  /** What to do, for lists that are ordered by it. */
  readonly action: string | undefined;
  readonly isRetryable: boolean;
}

export interface CodeList {
  /** Such as `aofErrorCodes`. */
  readonly name: string;
  /** The class in the same file that carries the codes. */
  readonly errorClass: string | undefined;
  readonly codes: readonly ErrorCode[];
}

/** The lists that a file exports. */
export function codeListsOf(source: SourceFile): CodeList[] {
  return source.program.body.flatMap((statement) => {
    if (statement.type !== "ExportNamedDeclaration" || statement.declaration?.type !== "VariableDeclaration") return [];
    return statement.declaration.declarations.flatMap(({ id, init }) => {
      if (id.type !== "Identifier" || !id.name.endsWith("Codes") || init === null) return [];
      const array = init.type === "TSAsExpression" ? init.expression : init;
      if (array.type !== "ArrayExpression") return [];
      return [{ name: id.name, errorClass: errorClassOf(source), codes: codesOf(source, array) }];
    });
  });
}

function codesOf(source: SourceFile, array: Node): ErrorCode[] {
  const retryable = retryableIn(source);
  const byLine = new Map(source.comments().map(({ text, line }) => [line, text.trim()]));
  const codes = stringsIn(array).map(({ value, start }) => ({ code: value, line: source.lineAt(start) }));
  const codeLines = new Set(codes.map(({ line }) => line));
  const first = source.lineAt(array.start);
  return codes.map(({ code, line }) => {
    let above = line - 1;
    while (above > first && (codeLines.has(above) || !byLine.has(above))) above--;
    const action: string[] = [];
    for (; above > first && !codeLines.has(above); above--) action.unshift(byLine.get(above) ?? "");
    return {
      code,
      meaning: byLine.get(line) ?? "",
      action: action.length === 0 ? undefined : action.join(" ").trim(),
      isRetryable: retryable.has(code),
    };
  });
}

/** Codes that the file names where it decides what `retryable` is. */
function retryableIn(source: SourceFile): Set<string> {
  const found = new Set<string>();
  walk(source.program, (node) => {
    const isSet =
      node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.id.name === "retryableCodes";
    const isField =
      node.type === "AssignmentExpression" &&
      node.left.type === "MemberExpression" &&
      node.left.property.type === "Identifier" &&
      node.left.property.name === "retryable";
    if (isSet || isField) for (const { value } of stringsIn(node)) found.add(value);
  });
  return found;
}

function errorClassOf(source: SourceFile): string | undefined {
  let name: string | undefined;
  walk(source.program, (node) => {
    if (
      node.type === "ClassDeclaration" &&
      node.superClass?.type === "Identifier" &&
      node.superClass.name === "Error"
    ) {
      name ??= node.id?.name;
    }
  });
  return name;
}

function stringsIn(node: Node): { readonly value: string; readonly start: number }[] {
  const found: { value: string; start: number }[] = [];
  walk(node, (below) => {
    if (below.type === "Literal" && typeof below.value === "string")
      found.push({ value: below.value, start: below.start });
  });
  return found;
}
