import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/**
 * A directory of the operating system that lives as long as the test file; call it outside of tests. In memory where there is such a file system:
 * these tests try what is in files, thousands of times, and no disk.
 */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(isWritable("/dev/shm") ? "/dev/shm" : tmpdir(), "varve-index-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
