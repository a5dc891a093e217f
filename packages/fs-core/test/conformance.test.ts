/**
 * Goal: every file system of this package, and every wrapper over it, keeps the promises of the interface.
 * Method: the published suite, once per implementation.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import type { FileSystem } from "../src/file-system/file-system.ts";
import { LocalFileSystem } from "../src/file-system/local-file-system.ts";
import { MemoryFileSystem } from "../src/file-system/memory-file-system.ts";
import { CrashableFileSystem } from "../src/testing/crashable-file-system.ts";
import { FaultyFileSystem } from "../src/testing/faulty-file-system.ts";
import { fileSystemConformance } from "../src/testing/conformance/file-system-conformance.ts";
import { OddFileSystem } from "../src/testing/odd-file-system.ts";

const roots = new WeakMap<FileSystem, string>();

async function local(wrap: (fs: FileSystem) => FileSystem): Promise<FileSystem> {
  const base = await mkdtemp(join(tmpdir(), "varve-conformance-"));
  const inner = new LocalFileSystem(join(base, "root"));
  await inner.mkdir("");
  const fs = wrap(inner);
  roots.set(fs, base);
  return fs;
}

async function destroy(fs: FileSystem): Promise<void> {
  const base = roots.get(fs);
  if (base !== undefined) await rm(base, { recursive: true });
}

const plain = (fs: FileSystem): FileSystem => fs;
const faulty = (fs: FileSystem): FileSystem => new FaultyFileSystem(fs);
const odd = (fs: FileSystem): FileSystem => new OddFileSystem(fs);

const subjects: Readonly<Record<string, () => Promise<FileSystem>>> = {
  LocalFileSystem: () => local(plain),
  MemoryFileSystem: async () => new MemoryFileSystem(),
  CrashableFileSystem: async () => new CrashableFileSystem(),
  "FaultyFileSystem over LocalFileSystem": () => local(faulty),
  "FaultyFileSystem over MemoryFileSystem": async () => faulty(new MemoryFileSystem()),
  "FaultyFileSystem over CrashableFileSystem": async () => faulty(new CrashableFileSystem()),
  "OddFileSystem over LocalFileSystem": () => local(odd),
  "OddFileSystem over MemoryFileSystem": async () => odd(new MemoryFileSystem()),
};

for (const [name, create] of Object.entries(subjects)) {
  describe(name, () => fileSystemConformance({ test, create, destroy }));
}
