import type { Clock, FileSystem, Random } from "@varve/fs-core";
import { LocalFileSystem, systemClock, systemRandom } from "@varve/fs-core";
import type { FlushMetrics } from "@varve/flush-metrics";
import type { KeyProvider } from "./keys/key-provider.ts";

/** Live collaborators of a log. Leave out what the defaults serve; tests swap them. Whoever makes a part closes it. */
export interface AofParts {
  /** Default: a `LocalFileSystem` rooted at `settings.dir`. When given, `settings.dir` is a path inside it. */
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Default: the log's own, closed with it. */
  readonly metrics?: FlushMetrics;
  /** Wraps and unwraps the log's keys: `localKeyRing`, or a KMS. Needed to write and to read what is encrypted. */
  readonly keyProvider?: KeyProvider;
}

/** The parts with the file system narrowed to the log's directory. */
export interface LogParts {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyProvider: KeyProvider | undefined;
}

/** Fills in the platform's parts. The directory itself is `""` in the result's file system, or `prefix` of it. */
export function resolveParts(dir: string, parts: AofParts): LogParts & { readonly root: string } {
  return {
    fileSystem: parts.fileSystem ?? new LocalFileSystem(dir),
    root: parts.fileSystem === undefined ? "" : dir,
    clock: parts.clock ?? systemClock,
    random: parts.random ?? systemRandom,
    keyProvider: parts.keyProvider,
  };
}
