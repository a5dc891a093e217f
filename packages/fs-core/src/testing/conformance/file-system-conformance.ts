import type { FileSystem } from "../../file-system/file-system.ts";
import type { Check } from "./check.ts";
import { fileChecks } from "./file-checks.ts";
import { handleChecks } from "./handle-checks.ts";
import { lockAndWatchChecks } from "./lock-and-watch-checks.ts";
import { nameChecks } from "./name-checks.ts";
import { pathChecks } from "./path-checks.ts";

/** Whom {@link fileSystemConformance} examines, and with which test runner. */
export interface FileSystemConformance {
  /** Registers one test. The `test` of vitest and of `node:test` fit. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A file system that is empty, shares nothing with an earlier one, and whose root exists. */
  readonly create: () => Promise<FileSystem>;
  /** Called when a test is done with what `create` returned, whether or not it passed. */
  readonly destroy?: (fs: FileSystem) => Promise<void>;
}

/**
 * Registers a test for each promise of {@link FileSystem} and for each method in each of its forms: results, error codes,
 * hostile paths, closed handles, ends of files, races within the process. What `supports` denies is required to refuse.
 *
 * Left to the tests of each implementation, because they need other processes or a power cut: locks between processes and
 * after a kill, durability, modes, symbolic links.
 */
export function fileSystemConformance({ test, create, destroy }: FileSystemConformance): void {
  for (const check of fileSystemChecks) {
    test(check.name, async () => {
      const fs = await create();
      try {
        await check.run(fs);
      } finally {
        await destroy?.(fs);
      }
    });
  }
}

/** The checks themselves, for runners of another shape. */
const fileSystemChecks: readonly Check[] = [
  ...fileChecks,
  ...handleChecks,
  ...nameChecks,
  ...pathChecks,
  ...lockAndWatchChecks,
];
