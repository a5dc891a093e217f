/**
 * The LMDB environment behind `LmdbSegmentIndex`. Entries stay on disk and are read through the library; memory holds
 * the directory and the metadata.
 *
 * Always true between commits:
 *  L1  #directory, #metadata, #totals and #revision are those of the last commit
 *  L2  every byte of `data.mdb` was written by the library, in this process or under a seal that matched
 */
import { joinPath, replaceFile } from "@varve/fs-core";
import type { Change, IndexMetadata } from "../change.ts";
import { decodeEntry } from "../entry-codec.ts";
import { damaged, ioError } from "../errors.ts";
import { isDisposable, prepareOrReset, readWholeFile } from "../index-directory.ts";
import type { IndexStorage, OpenOutcome } from "../index-storage.ts";
import { claimDirectory } from "../open-directories.ts";
import type { SegmentDirectory } from "../segment-directory.ts";
import type { SegmentEntry } from "../segment-entry.ts";
import { checkEnvironment } from "./check-environment.ts";
import { collectRecords } from "./collect-records.ts";
import type { Environment } from "./environment.ts";
import { encodeSeal, sealName } from "./environment-seal.ts";
import { dataName, type EnvironmentPlace, type OpenEnvironment, openEnvironment } from "./open-environment.ts";
import { type RecordTotals, totalsAfter } from "./record-totals.ts";

export class LmdbStorage implements IndexStorage {
  readonly kind = "lmdb";
  readonly logId: string;
  readonly opened: OpenOutcome;
  readonly directory: SegmentDirectory;
  readonly metadata: IndexMetadata;
  readonly #place: EnvironmentPlace;
  readonly #release: () => void;
  readonly #environment: Environment;
  #totals: RecordTotals;
  #revision: number;

  private constructor(place: EnvironmentPlace, release: () => void, logId: string, open: OpenEnvironment) {
    this.logId = logId;
    this.opened = open.opened;
    this.directory = open.directory;
    this.metadata = open.metadata;
    this.#place = place;
    this.#release = release;
    this.#environment = open.environment;
    this.#totals = open.totals;
    this.#revision = open.revision;
  }

  /** @param reset whether useless bytes are replaced by an empty index */
  static async open(place: EnvironmentPlace, logId: string, reset: boolean): Promise<LmdbStorage> {
    const { fileSystem, path } = place;
    let release: (() => void) | undefined;
    try {
      const refused = await prepareOrReset(fileSystem, path, reset);
      release = claimDirectory(fileSystem, path);
      const open = await openEnvironment(place, logId, reset);
      const opened: OpenOutcome = refused ? { outcome: "reset", reason: refused.message } : open.opened;
      return new LmdbStorage(place, release, logId, { ...open, opened });
    } catch (cause) {
      release?.();
      throw ioError("opening the index", cause);
    }
  }

  get revision(): number {
    return this.#revision;
  }

  read(baseId: number): SegmentEntry | undefined {
    if (!this.directory.has(baseId)) return undefined;
    const value = this.#environment.readSegment(baseId);
    if (value === undefined) throw damaged(`${dataName}: segment ${baseId} is gone`);
    return decodeEntry(value);
  }

  async commit(changes: readonly Change[], revision: number): Promise<void> {
    const records = collectRecords(changes);
    const totals = totalsAfter(this.#totals, records, this.#environment);
    this.#environment.commit(records, {
      logId: this.logId,
      revision,
      records: totals.segments + totals.metadata,
      digest: totals.segmentsDigest ^ totals.metadataDigest,
    });
    this.#totals = totals;
    this.#revision = revision;
    for (const change of changes) {
      this.directory.apply(change);
      this.metadata.apply(change);
    }
  }

  async check(): Promise<string[]> {
    try {
      const file = await readWholeFile(this.#place.fileSystem, joinPath(this.#place.path, dataName));
      if (file === undefined) return [`${dataName} is gone`];
      const { state } = checkEnvironment(file, this.logId);
      const digest = this.#totals.segmentsDigest ^ this.#totals.metadataDigest;
      return state.revision === this.#revision && state.digest === digest ? [] : [`${dataName} holds another state`];
    } catch (cause) {
      if (isDisposable(cause)) return [cause.message];
      throw ioError("verifying the index", cause);
    }
  }

  async close(failed: boolean): Promise<void> {
    try {
      await this.#environment.close();
      // After a failed write nobody knows what the file holds: the next open reads it without the library.
      if (!failed) await this.#seal();
    } finally {
      this.#release();
    }
  }

  async #seal(): Promise<void> {
    const { fileSystem, path } = this.#place;
    try {
      const file = await readWholeFile(fileSystem, joinPath(path, dataName));
      if (file !== undefined) await replaceFile(fileSystem, joinPath(path, sealName), encodeSeal(file));
    } catch {
      // Everything acknowledged is durable without it; the next open takes a little longer.
    }
  }
}
