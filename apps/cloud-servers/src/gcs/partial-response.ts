/**
 * The parameter `fields`: which parts of a resource an answer has.
 * https://cloud.google.com/storage/docs/json_api#partial-response
 * Grammar: `a,b` several; `a/b` b within a; `a(b,c)` several within a; `*` every name. Arrays are passed through.
 */
import { invalidParameter } from "./api-error.ts";
import { isRecord } from "./json-body.ts";

/** Name → what is wanted within it; an empty tree wants all. */
type FieldTree = Map<string, FieldTree>;

/** @throws ApiError 400 for a text that is not of the grammar */
export function selectFields(resource: object, fields: string): unknown {
  const parser = new FieldParser(fields);
  const tree = parser.parseList();
  parser.expectEnd();
  return pick(resource, tree);
}

function pick(value: unknown, tree: FieldTree): unknown {
  if (tree.size === 0) return value;
  if (Array.isArray(value)) return value.map((element) => pick(element, tree));
  if (!isRecord(value)) return value;
  const picked: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const within = tree.get(name) ?? tree.get("*");
    if (within !== undefined) picked.push([name, pick(member, within)]);
  }
  return Object.fromEntries(picked);
}

class FieldParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parseList(): FieldTree {
    const tree: FieldTree = new Map();
    do {
      const name = this.#parseName();
      const within = this.#parseWithin();
      const before = tree.get(name);
      if (before === undefined) tree.set(name, within);
      else if (before.size === 0 || within.size === 0) tree.set(name, new Map());
      else for (const [inner, wanted] of within) before.set(inner, wanted);
    } while (this.#take(","));
    return tree;
  }

  expectEnd(): void {
    if (this.#at < this.#text.length) throw this.#problem();
  }

  #parseWithin(): FieldTree {
    if (this.#take("/")) {
      const name = this.#parseName();
      return new Map([[name, this.#parseWithin()]]);
    }
    if (!this.#take("(")) return new Map();
    const tree = this.parseList();
    if (!this.#take(")")) throw this.#problem();
    return tree;
  }

  #parseName(): string {
    const name = /^ *(\*|[A-Za-z0-9_-]+) */.exec(this.#text.slice(this.#at));
    if (name === null) throw this.#problem();
    this.#at += name[0].length;
    return name[1] as string;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #problem(): Error {
    return invalidParameter("fields", `not a list of fields at character ${this.#at}`);
  }
}
