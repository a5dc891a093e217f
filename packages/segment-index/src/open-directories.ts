import { realpathSync } from "node:fs";
import type { FileSystem } from "@varve/fs-core";
import { IndexError } from "./errors.ts";

/**
 * Which index directories this process has open. Two instances on one directory would overwrite each other; LMDB would
 * even lose its locks. On the global object, so that two loaded copies of this package know of each other.
 */
interface OpenDirectories {
  readonly local: Set<string>;
  readonly elsewhere: WeakMap<FileSystem, Set<string>>;
}

const key: unique symbol = Symbol.for("@varve/segment-index/open-directories") as never;

/**
 * Claims an existing directory.
 * @returns gives it back; idempotent
 * @throws IndexError `INDEX_ALREADY_OPEN`
 */
export function claimDirectory(fileSystem: FileSystem, path: string): () => void {
  const local = fileSystem.localPath(path);
  const names = local === undefined ? namesIn(fileSystem) : registry().local;
  const name = local === undefined ? path : realpathSync.native(local);
  if (names.has(name)) throw new IndexError("INDEX_ALREADY_OPEN", `this process has the index ${path} open`);
  names.add(name);
  let held = true;
  return () => {
    if (held) names.delete(name);
    held = false;
  };
}

function registry(): OpenDirectories {
  const holder = globalThis as { [key]?: OpenDirectories };
  holder[key] ??= { local: new Set(), elsewhere: new WeakMap() };
  return holder[key];
}

function namesIn(fileSystem: FileSystem): Set<string> {
  const { elsewhere } = registry();
  const names = elsewhere.get(fileSystem) ?? new Set<string>();
  elsewhere.set(fileSystem, names);
  return names;
}
