/**
 * MANIFEST on disk: reading it, replacing it, and noticing that somebody else did.
 *
 * Always true:
 *  I1  what MANIFEST says is durable before it says it; the callers order their syncs in front of `replaceSync`
 *  I2  the file is replaced by rename, never written in place: a reader sees a whole one
 *  I3  `#witness` is open on the file of the last replacement: it loses its name when somebody else replaces MANIFEST
 */
import { type FileHandle, isStorageError, replaceFileSync } from "@varve/fs-core";
import { AofError, toAofError } from "./errors.ts";
import { decodeManifest, encodeManifest, type Manifest, manifestBytes } from "./format/manifest-codec.ts";
import type { LogDirectory } from "./log-directory.ts";
import { manifestName } from "./segment-name.ts";

/** undefined when there is none. @throws AofError `CORRUPTED_MANIFEST`, `NOT_A_LOG`, `FORMAT_TOO_NEW`, `IO` */
export async function readManifest(directory: LogDirectory): Promise<Manifest | undefined> {
  let bytes: Uint8Array;
  try {
    const handle = await directory.open(manifestName);
    try {
      bytes = await handle.readAll({ limitBytes: 64 * 1024 });
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isStorageError(error) && error.code === "NOT_FOUND") return undefined;
    if (isStorageError(error) && (error.code === "INVALID_ARGUMENT" || error.code === "NOT_A_DIRECTORY")) {
      throw new AofError("CORRUPTED_MANIFEST", "MANIFEST is not a file of a log", { path: manifestName, cause: error });
    }
    throw toAofError(error, "reading MANIFEST", { path: manifestName });
  }
  return judgeManifest(bytes);
}

/** {@link readManifest} without a turn of the loop, of a log that has one. @throws as there; StorageError */
export function readManifestSync(directory: LogDirectory): Manifest {
  const handle = directory.openSync(manifestName);
  try {
    const bytes = new Uint8Array(manifestBytes);
    return judgeManifest(bytes.subarray(0, handle.readAtSync(0, bytes)));
  } finally {
    handle.closeSync();
  }
}

function judgeManifest(bytes: Uint8Array): Manifest {
  const decoded = decodeManifest(bytes);
  switch (decoded.kind) {
    case "ok":
      return decoded.value;
    case "newer":
      throw new AofError(
        "FORMAT_TOO_NEW",
        `MANIFEST has version ${decoded.version}, newer than this program; upgrade it. Nothing was touched.`,
        { path: manifestName },
      );
    case "foreign":
      throw new AofError(
        "CORRUPTED_MANIFEST",
        `MANIFEST does not begin as one of ours (${bytes.length} bytes); restore it, or repair with mode "salvage"`,
        { path: manifestName },
      );
    case "damaged":
      throw new AofError(
        "CORRUPTED_MANIFEST",
        `MANIFEST is damaged: ${decoded.reason}; restore it, or repair with mode "salvage"`,
        { path: manifestName },
      );
  }
}

/** The writer's hold on MANIFEST. */
export class ManifestFile {
  readonly #directory: LogDirectory;
  #current: Manifest;
  #witness: FileHandle | undefined;

  /** @param current what the file says now, or will say after the first `replaceSync` of a new log */
  constructor(directory: LogDirectory, current: Manifest) {
    this.#directory = directory;
    this.#current = current;
  }

  get current(): Manifest {
    return this.#current;
  }

  /** A repair replaced the file while this writer held the lock: go on from what it says. */
  adopt(manifest: Manifest): void {
    this.closeSync();
    this.#current = manifest;
  }

  /**
   * Writes `change` over the current content, durably. Synchronous: it is part of beginning a segment, and nothing may
   * be acknowledged in between. About 0.5 ms, once per segment.
   * @throws AofError `FENCED` when another writer replaced it since
   */
  replaceSync(change: Partial<Manifest>): void {
    if (this.#witness !== undefined && !this.isStillOurs()) throw this.fenced();
    const next: Manifest = { ...this.#current, ...change, updatedAtUs: this.#directory.clock.wallUs() };
    const { fileSystem } = this.#directory;
    replaceFileSync(fileSystem, this.#directory.at(manifestName), encodeManifest(next), {
      random: this.#directory.random,
    });
    this.#current = next;
    const witness = this.#directory.openSync(manifestName);
    this.#witness?.closeSync();
    this.#witness = witness;
  }

  /**
   * Whether MANIFEST is still the one this writer wrote. Called between a sync and its acknowledgement: a writer that
   * takes the log over replaces MANIFEST before it reads the tail, so whatever was synced before this check succeeded
   * is seen by it. One `fstat`, about 1 µs.
   */
  isStillOurs(): boolean {
    return this.#witness === undefined ? this.#contentIsOurs() : this.#witness.linkCountSync() > 0;
  }

  fenced(): AofError {
    return new AofError(
      "FENCED",
      `MANIFEST was replaced by another writer (ours is epoch ${this.#current.epoch}): what was appended since the last flush may be lost. Stop this writer.`,
      { path: manifestName },
    );
  }

  #contentIsOurs(): boolean {
    const handle = this.#directory.openSync(manifestName);
    try {
      const bytes = new Uint8Array(manifestBytes);
      handle.readAtSync(0, bytes);
      const decoded = decodeManifest(bytes);
      return decoded.kind === "ok" && decoded.value.epoch === this.#current.epoch;
    } finally {
      handle.closeSync();
    }
  }

  closeSync(): void {
    this.#witness?.closeSync();
    this.#witness = undefined;
  }
}
