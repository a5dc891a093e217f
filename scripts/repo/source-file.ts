// What the rules ask of one TypeScript file, read from its syntax tree, so that a comment or a string
// that looks like code is neither.
import { type Node, type Program, parseSync } from "oxc-parser";

export interface ImportOf {
  readonly specifier: string;
  /** Names as the other module exports them; empty for `import "x"`, `import * as x` and `import("x")`. */
  readonly names: readonly string[];
  readonly line: number;
}

export class SourceFile {
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  /** What the parser says if the text is not TypeScript; then the tree below may be empty. */
  readonly syntaxError: string | undefined;
  readonly #comments: readonly { readonly value: string; readonly start: number; readonly end: number }[];

  constructor(path: string, text: string) {
    const parsed = parseSync(path, text);
    this.path = path;
    this.text = text;
    this.program = parsed.program;
    this.syntaxError = parsed.errors[0]?.message;
    this.#comments = parsed.comments;
  }

  lineAt(offset: number): number {
    return this.text.slice(0, offset).split("\n").length;
  }

  /** Every module this file names: static and dynamic imports, re-exports, `import("x").Type`. */
  imports(): ImportOf[] {
    const found: ImportOf[] = [];
    walk(this.program, (node) => {
      if (!("source" in node) || node.source === null || node.source.type !== "Literal") return;
      const specifier = node.source.value;
      if (typeof specifier === "string") found.push({ specifier, names: namesOf(node), line: this.lineAt(node.start) });
    });
    return found;
  }

  comments(): { readonly text: string; readonly line: number }[] {
    return this.#comments.map(({ value, start }) => ({ text: value, line: this.lineAt(start) }));
  }

  /** Whether a `/**` comment ends right before this offset. */
  isDocumentedAt(offset: number): boolean {
    return this.#comments.some(
      ({ value, end }) => value.startsWith("*") && end <= offset && this.text.slice(end, offset).trim() === "",
    );
  }
}

function namesOf(node: Node): string[] {
  if (node.type !== "ImportDeclaration" && node.type !== "ExportNamedDeclaration") return [];
  return node.specifiers.flatMap((specifier) => {
    if (specifier.type === "ImportSpecifier") return [nameOf(specifier.imported)];
    return specifier.type === "ExportSpecifier" ? [nameOf(specifier.local)] : [];
  });
}

/** The text of an identifier or of a name written as a string. */
export function nameOf(node: { readonly name: string } | { readonly value: unknown }): string {
  return "name" in node ? node.name : String(node.value);
}

/** Visits every node below `node`, with the node it hangs on. */
export function walk(node: Node, visit: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  visit(node, parent);
  for (const child of Object.values(node)) {
    for (const item of Array.isArray(child) ? child : [child]) {
      if (isNode(item)) walk(item, visit, node);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
