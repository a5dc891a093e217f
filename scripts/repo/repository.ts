// The tree as the rules see it: text by path, and the packages in it. A rule is a pure function of a
// Repository, so its test can hand it one that was never on disk.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SourceFile } from "./source-file.ts";

/** A rule returns sentences, each saying what is wrong and what would be right. */
export type Rule = (repository: Repository) => string[];

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly license?: string;
  readonly description?: string;
  readonly sideEffects?: boolean;
  readonly packageManager?: string;
  readonly engines?: { readonly node?: string };
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, string | { readonly types?: string; readonly default?: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  /** Such as `packages/aof`. */
  readonly directory: string;
  readonly kind: "package" | "app";
  readonly name: string;
  readonly manifest: Manifest;
}

export class Repository {
  /** Text of every file, by path from the root, `/`-separated. */
  readonly files: ReadonlyMap<string, string>;
  readonly root: Manifest;
  readonly packages: readonly WorkspacePackage[];
  readonly #sources = new Map<string, SourceFile>();

  constructor(files: ReadonlyMap<string, string>) {
    this.files = files;
    this.root = this.manifest("package.json");
    this.packages = [...files.keys()]
      .filter((path) => /^(packages|apps)\/[^/]+\/package\.json$/.test(path))
      .map((path) => {
        const directory = path.slice(0, -"/package.json".length);
        const manifest = this.manifest(path);
        return { directory, kind: path.startsWith("apps/") ? "app" : "package", name: manifest.name, manifest };
      });
  }

  manifest(path: string): Manifest {
    const text = this.files.get(path);
    return text === undefined ? { name: "" } : JSON.parse(text);
  }

  paths(pattern: RegExp): string[] {
    return [...this.files.keys()].filter((path) => pattern.test(path));
  }

  source(path: string): SourceFile {
    const known = this.#sources.get(path);
    if (known !== undefined) return known;
    const source = new SourceFile(path, this.files.get(path) ?? "");
    this.#sources.set(path, source);
    return source;
  }

  /** The TypeScript files of a package: everything, or one of its folders. */
  sourcesOf({ directory }: WorkspacePackage, folder = ""): SourceFile[] {
    const prefix = `${directory}/${folder}`;
    return this.paths(/\.ts$/)
      .filter((path) => path.startsWith(prefix))
      .map((path) => this.source(path));
  }
}

/** What a file is for, which decides how strict the rules are with it. */
export function roleOf(path: string): "source" | "test" | "bench" {
  if (/^apps\/bench\/|^[^/]+\/[^/]+\/bench\//.test(path)) return "bench";
  if (/\.test\.ts$|^[^/]+\/[^/]+\/test\//.test(path)) return "test";
  return "source";
}

/** Every name a manifest depends on, in whichever field. */
export function dependenciesOf(manifest: Manifest): Map<string, string> {
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = manifest;
  return new Map(
    [devDependencies, peerDependencies, optionalDependencies, dependencies].flatMap((field) =>
      Object.entries(field ?? {}),
    ),
  );
}

/** The package of an import, `undefined` for a path and for a module of Node: `@a/b/c` → `@a/b`. */
export function packageOf(specifier: string): string | undefined {
  if (/^(node:|\.|\/)/.test(specifier)) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Reads a tree from disk; leaves out what .gitignore names, and .git. */
export function readRepository(root: string): Repository {
  const isIgnored = ignoreRules(readFileSync(join(root, ".gitignore"), "utf8"));
  const files = new Map<string, string>();
  const read = (directory: string): void => {
    const entries = readdirSync(join(root, directory), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (isIgnored(path)) continue;
      if (entry.isDirectory()) read(path);
      else if (entry.isFile()) files.set(path, readFileSync(join(root, path), "utf8"));
    }
  };
  read("");
  return new Repository(files);
}

/** The few forms of .gitignore that ours uses: `name/` anywhere, `/name/` at the root, `*.ending`. */
export function ignoreRules(gitignore: string): (path: string) => boolean {
  const lines = gitignore.split("\n").map((line) => line.trim().replace(/\/$/, ""));
  return (path) => {
    const name = path.split("/").at(-1) ?? "";
    return (
      name === ".git" ||
      lines.some((line) => {
        if (line === "") return false;
        if (line.startsWith("*")) return name.endsWith(line.slice(1));
        return line.startsWith("/") ? path === line.slice(1) : name === line;
      })
    );
  };
}
