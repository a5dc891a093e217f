import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A directory of the operating system that lives as long as the test file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "varve-index-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
