/**
 * A log as another process may look at it: no lock, no change to any file, following the writer by watching the
 * directory.
 *
 * What may be seen: records that are whole in the files. The writer's durable watermark is not in the files, so the
 * default visibility is `written`; `durable` shows only what the log itself promises, by a later record or a footer.
 */
import type { FileHandle, FileWatch, TimerHandle } from "@varve/fs-core";
import { ActiveSegment } from "./active-segment.ts";
import { AofError, toAofError } from "./errors.ts";
import type { Manifest } from "./format/manifest-codec.ts";
import type { KeyProvider } from "./keys/key-provider.ts";
import { readKeys, readKeysOf } from "./keys/keys-file.ts";
import { LogKeys } from "./keys/log-keys.ts";
import { unwrapInto } from "./keys/wrapping.ts";
import { LogDirectory } from "./log-directory.ts";
import { listLog } from "./log-listing.ts";
import { findId } from "./find-id.ts";
import { BatchReader, RecordReader } from "./log-reader.ts";
import { assertReadableId, type LogView, trimmedOr, type Visibility } from "./log-view.ts";
import { readManifest, readManifestSync } from "./manifest-file.ts";
import { type AofParts, resolveParts } from "./parts.ts";
import { ReadBuffers } from "./read-ahead.ts";
import { readRecordSync } from "./point-read.ts";
import type { ReadOptions } from "./read-options.ts";
import type { AofRecord } from "./record.ts";
import { RetentionClock } from "./retention-clock.ts";
import { resolveTtl } from "./retention-settings.ts";
import { SegmentCache } from "./segment-cache.ts";
import { type LogSegment, SegmentCatalog } from "./segment-catalog.ts";
import { type SegmentInfo, segmentInfo } from "./segment-info.ts";
import { inspectSegment } from "./segment-inspect.ts";
import { describe } from "./describe.ts";
import { defaultAofSettings, isCacheBytes } from "./settings.ts";
import { TailFollower } from "./tail-follower.ts";
import { isTailTrimmed, splitTrimmed } from "./trimmed-segments.ts";
import { Watermark } from "./watermark.ts";

/** Serialisable options of a read-only open. Unknown names are refused. */
export interface ReadOnlySettings {
  readonly dir: string;
  /** Segment files kept open. Default 100. */
  readonly segmentCacheSize?: number;
  /** Bytes of segments kept in memory for reads by id; 0 for none, or 64 KiB to 2 GiB. Default 64 MiB. */
  readonly blockCacheBytes?: number;
  /** Bytes for reading ahead, shared by all readers; see `AofSettings`. Default 16 MiB. */
  readonly readAheadBytes?: number;
  /** Iterators open at once. Default 1000. */
  readonly maxReaders?: number;
  /** The index's directory, which is not opened. Default `index`. */
  readonly indexPath?: string;
  /** The writer's `ttlMs`, which is not stored: records that it calls expired are not shown. Default: for ever. */
  readonly ttlMs?: number;
  /** The same in seconds. */
  readonly ttlSeconds?: number;
}

const offsetTableBytesMax = 32 * 1024 * 1024;

/**
 * How often a follower looks even when the watch is silent: a watch may miss changes (network file systems, full event
 * queues) and does not keep the process alive, which a reader that waits should.
 */
const lookEveryMs = 1000;

/**
 * Opens the log in `settings.dir` for reading, whether or not somebody writes it.
 * @throws AofError `NOT_FOUND` when there is none, `INVALID_SETTINGS`, `CORRUPTED_SEGMENT`, `CORRUPTED_MANIFEST`,
 * `CORRUPTED_RECORD`, `FORMAT_TOO_NEW`, `PERMISSION_DENIED`, `IO`; with the part `keyProvider` also `CORRUPTED_KEYS`,
 * `KEY_NOT_FOUND`, `WRONG_KEY`. Without it encrypted records are refused when they are read, with `KEY_REQUIRED`
 */
export async function openReadOnly(settings: ReadOnlySettings, parts: AofParts = {}): Promise<ReadOnlyLog> {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    const isPath = name === "dir" || name === "indexPath";
    const isCount = name === "segmentCacheSize" || name === "maxReaders";
    // Judged below.
    if (name === "ttlMs" || name === "ttlSeconds") continue;
    const isCache = name === "blockCacheBytes" || name === "readAheadBytes";
    if (!isPath && !isCount && !isCache) problems.push(`${name}: no such setting of a read-only open`);
    else if (isPath && typeof value !== "string") problems.push(`${name}: got ${describe(value)}, want a path`);
    else if (isCount && !(Number.isInteger(value) && value >= 1))
      problems.push(`${name}: got ${describe(value)}, want an integer of 1 or more`);
    else if (isCache && !isCacheBytes(value))
      problems.push(`${name}: got ${describe(value)}, want 0 or an integer in 65536..2^31`);
  }
  resolveTtl(settings, problems);
  if (problems.length > 0) throw new AofError("INVALID_SETTINGS", problems.join("\n"));
  const log = new ReadOnlyLog(new LogDirectory(resolveParts(settings.dir, parts)), settings, parts.keyProvider);
  try {
    await log.refresh();
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
}

/** See {@link openReadOnly}. */
export class ReadOnlyLog implements AsyncDisposable {
  readonly #directory: LogDirectory;
  readonly #indexPath: string;
  readonly #maxReaders: number;
  readonly #catalog = new SegmentCatalog([]);
  readonly #cache: SegmentCache;
  readonly #keyProvider: KeyProvider | undefined;
  #keys: LogKeys | undefined;
  /** Ends calls to the provider when the log is closed. */
  readonly #stop = new AbortController();
  readonly #view: LogView;
  readonly #readBuffers: ReadBuffers;
  readonly #ttlUs: number;
  readonly #retentionClock: RetentionClock;
  readonly #written = new Watermark(0);
  readonly #durable = new Watermark(0);
  #firstId = 1;
  #epoch = 0;
  #isClosedCleanly = false;
  #follower: TailFollower | undefined;
  #refreshing: Promise<void> | undefined;
  #isDirty = false;
  #watch: FileWatch | undefined;
  #lookTimer: TimerHandle | undefined;
  #waiters = 0;
  #openReaders = 0;
  #isClosed = false;

  /** Use {@link openReadOnly}. */
  constructor(directory: LogDirectory, settings: ReadOnlySettings, keyProvider: KeyProvider | undefined) {
    this.#directory = directory;
    this.#keyProvider = keyProvider;
    this.#indexPath = settings.indexPath ?? "index";
    this.#maxReaders = settings.maxReaders ?? 1000;
    this.#ttlUs = (resolveTtl(settings, []) ?? 0) * 1000;
    this.#retentionClock = new RetentionClock(directory.clock);
    this.#cache = new SegmentCache(directory, {
      segments: settings.segmentCacheSize ?? defaultAofSettings.segmentCacheSize,
      tableBytes: offsetTableBytesMax,
      blockBytes: settings.blockCacheBytes ?? defaultAofSettings.blockCacheBytes,
    });
    this.#readBuffers = new ReadBuffers(settings.readAheadBytes ?? defaultAofSettings.readAheadBytes);
    this.#view = this.#createView();
  }

  /** The oldest record's id. */
  get firstId(): number {
    return this.#firstId;
  }

  /** The newest whole record seen by the last {@link refresh}, `firstId - 1` when there is none. */
  get lastId(): number {
    return Math.max(this.#written.value, this.#firstId - 1);
  }

  /** The newest record that the log itself promises to survive power loss, as of the last {@link refresh}. */
  get durableId(): number {
    return Math.max(this.#durable.value, this.#firstId - 1);
  }

  /** The number of the newest writer, as of the last {@link refresh}. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether no writer had the log open, and the last one closed it, as of the last {@link refresh}. */
  get isClosedCleanly(): boolean {
    return this.#isClosedCleanly;
  }

  /** Looks for what was written since. Reading with `follow` does this by itself. */
  async refresh(): Promise<void> {
    this.#assertOpen();
    while (this.#refreshing !== undefined) await this.#refreshing;
    this.#refreshing = this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /** The record `id`, undefined when the last {@link refresh} did not see it. @throws AofError as `Aof.get` */
  async get(id: number, options?: { readonly visibility?: Visibility }): Promise<AofRecord | undefined> {
    return this.getSync(id, options);
  }

  /** {@link get} without a promise. */
  getSync(id: number, options?: { readonly visibility?: Visibility }): AofRecord | undefined {
    this.#assertOpen();
    assertReadableId(this.#view, id, "id");
    if (id > this.#view.visibleId(options?.visibility ?? "written")) return undefined;
    try {
      return readRecordSync(this.#view, id);
    } catch (error) {
      throw trimmedOr(error, this.#view, id);
    }
  }

  /**
   * Id of the oldest record that is not older than `timestampUs`, undefined when all are.
   * @throws AofError `INVALID_ARGUMENT`, `CORRUPTED_RECORD`, `CORRUPTED_SEGMENT`, `IO`, `CLOSED`
   */
  async findId(
    at: { readonly timestampUs: number },
    options?: { readonly visibility?: Visibility },
  ): Promise<number | undefined> {
    return findId(this.#view, at, options?.visibility ?? "written");
  }

  /** As `Aof.read`; with `follow` it goes on as the writer writes. */
  read(options: ReadOptions = {}): RecordReader {
    return new RecordReader(this.#view, options, "written");
  }

  /** As `Aof.readBatches`. */
  readBatches(options: ReadOptions = {}): BatchReader {
    return new BatchReader(this.#view, options, "written");
  }

  /** Every segment, oldest first. */
  segments(): SegmentInfo[] {
    return this.#catalog.segments.map((segment) => segmentInfo(segment, segment === this.#catalog.last));
  }

  /** Releases its files; readers that wait end. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stop.abort();
    this.#watch?.close();
    this.#lookTimer?.cancel();
    const closed = new AofError("CLOSED", "the log was closed; open it again");
    this.#written.fail(closed);
    this.#durable.fail(closed);
    try {
      await this.#refreshing;
    } catch {
      // Whoever asked for it has the failure.
    }
    await this.#cache.close();
    this.#keys?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The writer may trim at any moment: what fails because of that is done again with the MANIFEST that says so. */
  async #refresh(): Promise<void> {
    for (;;) {
      const manifest = await readManifest(this.#directory);
      try {
        return await this.#refreshBy(manifest);
      } catch (error) {
        const latest = await readManifest(this.#directory);
        if ((latest?.firstId ?? 0) <= (manifest?.firstId ?? 0)) throw error;
      }
    }
  }

  async #refreshBy(manifest: Manifest | undefined): Promise<void> {
    const listed = (await listLog(this.#directory, this.#indexPath)).segments;
    if (manifest === undefined) {
      if (listed.length === 0) throw new AofError("NOT_FOUND", "there is no log in this directory");
      throw new AofError("CORRUPTED_MANIFEST", `MANIFEST is missing although ${listed.length} segments are there`, {
        path: "MANIFEST",
      });
    }
    this.#firstId = Math.max(this.#firstId, manifest.firstId);
    this.#epoch = manifest.epoch;
    this.#isClosedCleanly = manifest.closedCleanly;
    const segments = this.#dropTrimmed(manifest, listed);
    const known = this.#catalog.last?.baseId ?? 0;
    await this.#advanceKnown(segments.find((baseId) => baseId > known));
    for (const [index, baseId] of segments.entries()) {
      if (baseId > known) await this.#addSegment(baseId, segments[index + 1]);
    }
    const last = this.#catalog.last;
    const mustExist = manifest.active?.baseId ?? (isTailTrimmed(manifest) ? 0 : (manifest.tail?.baseId ?? 0));
    if (mustExist > (last?.baseId ?? 0)) throw missing(mustExist);
    const visibleId = this.#follower?.visibleId ?? last?.lastId ?? this.#firstId - 1;
    if (visibleId < manifest.promisedId) {
      throw new AofError(
        "CORRUPTED_RECORD",
        `record ${visibleId + 1} is missing: MANIFEST says that everything up to ${manifest.promisedId} was durable`,
        {
          recordId: visibleId + 1,
          ...(last === undefined ? {} : { path: last.name, segmentId: last.baseId, offset: last.dataLength }),
        },
      );
    }
    await this.#refreshKeys(manifest);
    this.#written.raise(visibleId);
    this.#durable.raise(Math.max(manifest.promisedId, this.#follower?.durableId ?? visibleId));
  }

  /**
   * Unwraps the keys that are new in KEYS. Read after the records were found: the key of each was in KEYS before it was
   * written, even if MANIFEST, read first, did not say so yet.
   */
  async #refreshKeys({ logId, hasKeys }: Manifest): Promise<void> {
    if (this.#keyProvider === undefined) return;
    if (!hasKeys && (await readKeys(this.#directory)) === undefined) return;
    const { entries } = await readKeysOf(this.#directory, logId);
    this.#keys ??= new LogKeys(logId);
    await unwrapInto(this.#keys, entries, this.#keyProvider, this.#stop.signal);
  }

  /** Forgets what is no part of the log any more. @returns the listed segments that are */
  #dropTrimmed(manifest: Manifest, listed: readonly number[]): readonly number[] {
    const newest = this.#catalog.last;
    const kept = new Set(this.#catalog.segments);
    if (newest !== undefined && this.#follower?.segment.count === 0) {
      // A close removes an empty segment, and an open puts another one, with another salt, in its place.
      kept.delete(newest);
      this.#follower = undefined;
    }
    const known = [...kept].map(({ baseId }) => baseId);
    const all = [...new Set([...known, ...listed])].sort((a, b) => a - b);
    const trimmed = new Set(splitTrimmed(all, manifest).trimmed);
    for (const segment of kept) if (trimmed.has(segment.baseId)) kept.delete(segment);
    if (newest !== undefined && !kept.has(newest)) this.#follower = undefined;
    const gone = this.#catalog.segments.filter((segment) => !kept.has(segment));
    if (gone.length > 0) this.#catalog.replaceAll([...kept]);
    for (const segment of gone) this.#cache.drop(segment);
    return listed.filter((baseId) => !trimmed.has(baseId));
  }

  /** Goes on with the newest segment known; it is complete once it has a successor. */
  async #advanceKnown(successor: number | undefined): Promise<void> {
    const follower = this.#follower;
    const entry = this.#catalog.last;
    if (follower === undefined || entry === undefined) return;
    await this.#advance(follower, entry, successor);
  }

  async #addSegment(baseId: number, successor: number | undefined): Promise<void> {
    const previous = this.#catalog.last;
    if (previous === undefined ? baseId > this.#firstId : previous.lastId + 1 !== baseId) {
      throw missing(previous === undefined ? this.#firstId : previous.lastId + 1);
    }
    let inspected: Awaited<ReturnType<typeof inspectSegment>>;
    try {
      inspected = await inspectSegment(this.#directory, baseId);
    } catch (error) {
      // The writer begins it just now; MANIFEST does not name it yet.
      if (successor === undefined && error instanceof AofError && error.code === "CORRUPTED_SEGMENT") return;
      throw error;
    }
    if (inspected.sealed !== undefined) {
      this.#follower = undefined;
      this.#catalog.add(inspected.sealed);
      return;
    }
    const live = new ActiveSegment(baseId, inspected.header.salt, inspected.header.createdAtUs);
    this.#follower = new TailFollower(live);
    await this.#advance(this.#follower, this.#catalog.add(live), successor);
  }

  async #advance(follower: TailFollower, entry: LogSegment, successor: number | undefined): Promise<void> {
    let handle: FileHandle | undefined;
    try {
      handle = await this.#directory.open(entry.name);
      await follower.advance(handle);
    } catch (error) {
      throw toAofError(error, `reading ${entry.name}`, { path: entry.name, segmentId: entry.baseId });
    } finally {
      await handle?.close();
    }
    const { sealed } = await inspectSegment(this.#directory, entry.baseId);
    if (sealed !== undefined && sealed.lastId === follower.segment.lastId) {
      entry.sealed = sealed;
      entry.live = undefined;
      this.#follower = undefined;
    } else if (successor !== undefined && entry.lastId + 1 < successor) {
      throw new AofError(
        "CORRUPTED_RECORD",
        `record ${entry.lastId + 1} at offset ${follower.segment.end} of ${entry.name} is damaged: the segment after it was begun when it was durable`,
        { path: entry.name, segmentId: entry.baseId, offset: follower.segment.end, recordId: entry.lastId + 1 },
      );
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new AofError("CLOSED", "the log was closed; open it again");
  }

  #createView(): LogView {
    const keys = (): LogKeys | undefined => this.#keys;
    return {
      catalog: this.#catalog,
      cache: this.#cache,
      readBuffers: this.#readBuffers,
      get keys() {
        return keys();
      },
      expiry: { ttlUs: this.#ttlUs, nowUs: () => this.#retentionClock.nowUs() },
      firstId: () => this.#firstId,
      latestFirstId: () => {
        this.#firstId = Math.max(this.#firstId, readManifestSync(this.#directory).firstId);
        return this.#firstId;
      },
      visibleId: (visibility) => (visibility === "durable" ? this.durableId : this.lastId),
      waitBeyond: (id, visibility, signal) => this.#waitBeyond(id, visibility, signal),
      assertReadable: () => this.#assertOpen(),
      readerOpened: () => {
        if (this.#openReaders >= this.#maxReaders) {
          throw new AofError(
            "READER_LIMIT_EXCEEDED",
            `${this.#openReaders} readers are open, the limit (maxReaders); close one, or raise it`,
          );
        }
        this.#openReaders++;
      },
      readerClosed: () => {
        this.#openReaders--;
      },
      noteReads: () => {},
    };
  }

  async #waitBeyond(id: number, visibility: Visibility, signal: AbortSignal | undefined): Promise<boolean> {
    const watermark = visibility === "durable" ? this.#durable : this.#written;
    this.#waiters++;
    this.#watch ??= this.#directory.watch(() => this.#changed());
    // What was written before the watch began raises no event.
    this.#look();
    try {
      await watermark.reached(id + 1, signal);
      return true;
    } catch (error) {
      if (error instanceof AofError && error.code === "CLOSED") return false;
      throw error;
    } finally {
      this.#waiters--;
      if (this.#waiters === 0) {
        this.#watch?.close();
        this.#watch = undefined;
        this.#lookTimer?.cancel();
        this.#lookTimer = undefined;
      }
    }
  }

  #look(): void {
    this.#changed();
    this.#lookTimer?.cancel();
    this.#lookTimer = this.#directory.clock.after(lookEveryMs, () => this.#look());
  }

  /** Refreshes now, or once more after the refresh that is under way. Failures reach those who wait. */
  #changed(): void {
    if (this.#isDirty || this.#isClosed) return;
    this.#isDirty = true;
    const before = this.#refreshing ?? Promise.resolve();
    void before
      .catch(() => {})
      .then(() => {
        this.#isDirty = false;
        return this.#isClosed ? undefined : this.refresh();
      })
      .catch((error: unknown) => {
        const failure = toAofError(error, "following the log");
        this.#written.fail(failure);
        this.#durable.fail(failure);
      });
  }
}

function missing(baseId: number): AofError {
  return new AofError("CORRUPTED_SEGMENT", `the segment that begins with record ${baseId} is missing`, {
    segmentId: baseId,
    recordId: baseId,
  });
}
