import { FlushController, FlushMetrics, type ResolvedFlushStrategy } from "@varve/flush-metrics";
import type { Clock, FileLock } from "@varve/fs-core";
import { ActiveSegment } from "./active-segment.ts";
import { AppendRing } from "./append-ring.ts";
import { AutoTuner } from "./auto-tuner.ts";
import { BackgroundErrorFeed, type BackgroundErrorListener } from "./background-error-feed.ts";
import { BackgroundTasks } from "./background-tasks.ts";
import { ContentEncoder } from "./content/content-encoder.ts";
import { AofError, toAofError } from "./errors.ts";
import { Cursor, type CursorHost, type CursorOptions, openCursor } from "./cursor.ts";
import { refuseDurability } from "./append-conditions.ts";
import { CursorStore } from "./cursor-store.ts";
import { DedupeWindow } from "./dedupe-window.ts";
import { commitOnExit } from "./exit-hook.ts";
import { assessHealth, type HealthError, type HealthReport } from "./health.ts";
import { FlushPipeline } from "./flush-pipeline.ts";
import type { IndexKeeper } from "./index-keeper.ts";
import type { LogKeys } from "./keys/log-keys.ts";
import type { RewrapOptions, RewrapReport } from "./keys/rewrap.ts";
import { findId } from "./find-id.ts";
import { assertKnownOptions } from "./known-options.ts";
import { BatchReader, findTimestamp, RecordReader } from "./log-reader.ts";
import { assertReadableId, type Visibility } from "./log-view.ts";
import { type AppendedBatch, LogWriter } from "./log-writer.ts";
import type { ManifestFile } from "./manifest-file.ts";
import { AofCounters, type AofMetricsSnapshot } from "./metrics.ts";
import { OnlineRewrap } from "./online-rewrap.ts";
import { type OpenedLog, openLogFiles } from "./open-log.ts";
import { type AofParts, resolveParts } from "./parts.ts";
import { readRecordSync } from "./point-read.ts";
import type { ReadOptions } from "./read-options.ts";
import { ReadBuffers } from "./read-ahead.ts";
import { rebuildDedupeWindow } from "./rebuild-dedupe.ts";
import type { AofRecord } from "./record.ts";
import type { AppendOptions, BatchRecord, DurableAppendOptions } from "./record-input.ts";
import type { RecoveryReport } from "./recovery-report.ts";
import { Retention } from "./retention.ts";
import { RetentionClock } from "./retention-clock.ts";
import type { RetentionReport, TrimOptions, TrimReport } from "./retention-report.ts";
import { SegmentActivator } from "./segment-activator.ts";
import { SegmentCache } from "./segment-cache.ts";
import { SegmentCatalog } from "./segment-catalog.ts";
import { type SegmentInfo, segmentInfo } from "./segment-info.ts";
import { SegmentLife } from "./segment-life.ts";
import { type AofSettings, type ResolvedAofSettings, resolveAofSettings } from "./settings.ts";
import { assertLittleEndian } from "./record-encoder.ts";
import { WriterView } from "./writer-view.ts";

/** Offset tables in memory at most, over all open segments: those of 8 million records. */
const offsetTableBytesMax = 32 * 1024 * 1024;

/** @see Aof.state */
export type AofState = "open" | "poisoned" | "closing" | "closed";

/**
 * An append-only log in a directory, open for writing. One process at a time; any number may read it meanwhile with
 * `openReadOnly`.
 *
 * What an acknowledgement means, per call, is in the README ("Guarantees"). After the first failed write, sync, rename
 * or create the log is *poisoned*: appends and waits fail with that failure, reads of what is durable go on, and only
 * closing and opening it again, which recovers, makes it writable.
 */
export class Aof implements AsyncDisposable {
  /** Every setting as it is in force. Frozen. */
  readonly options: ResolvedAofSettings;
  /** What this open found and did. */
  readonly recovery: RecoveryReport;
  /** This writer's number: each open for writing has a higher one. */
  readonly epoch: number;
  readonly #lock: FileLock | undefined;
  readonly #manifest: ManifestFile;
  readonly #index: IndexKeeper;
  readonly #tasks: BackgroundTasks;
  readonly #catalog: SegmentCatalog;
  readonly #cache: SegmentCache;
  readonly #activator: SegmentActivator;
  readonly #ring: AppendRing;
  readonly #controller: FlushController;
  readonly #ownMetrics: FlushMetrics | undefined;
  readonly #pipeline: FlushPipeline;
  readonly #writer: LogWriter;
  readonly #counters = new AofCounters();
  readonly #view: WriterView;
  readonly #stopExitHook: () => void;
  readonly #life: SegmentLife;
  readonly #clock: Clock;
  readonly #openedUs: number;
  readonly #backgroundErrorFeed: BackgroundErrorFeed;
  readonly #keys: LogKeys | undefined;
  readonly #content: ContentEncoder;
  readonly #rewrap: OnlineRewrap;
  readonly #retentionClock: RetentionClock;
  readonly #retention: Retention;
  readonly #readBuffers: ReadBuffers;
  readonly #dedupe: DedupeWindow | undefined;
  readonly #cursors: CursorStore;
  #state: AofState = "open";
  #closing: Promise<void> | undefined;

  /**
   * Opens the log in `settings.dir` for writing, creating or recovering it as needed. Resolves to a log that is ready;
   * {@link recovery} says what was found.
   * @throws AofError `INVALID_SETTINGS`, `INVALID_SEGMENT_SIZE`, `LOCKED`, `NOT_A_LOG`, `CORRUPTED_RECORD`,
   * `CORRUPTED_SEGMENT`, `CORRUPTED_MANIFEST`, `FORMAT_TOO_NEW`, `PERMISSION_DENIED`, `NO_SPACE`, `IO`; of an encrypted
   * log also `KEY_REQUIRED`, `KEY_NOT_FOUND`, `WRONG_KEY`, `CORRUPTED_KEYS`, before a byte changed
   */
  static async open(settings: AofSettings, parts: AofParts = {}): Promise<Aof> {
    assertLittleEndian();
    const resolved = resolveAofSettings(settings);
    if (resolved.encryption === true && parts.keyProvider === undefined) {
      throw new AofError("INVALID_SETTINGS", "encryption: got true without the part keyProvider, which keeps its keys");
    }
    const opened = await openLogFiles(resolved, resolveParts(resolved.dir, parts));
    let log: Aof;
    try {
      log = new Aof(resolved, opened, parts);
    } catch (error) {
      opened.keys?.close();
      await opened.index.close();
      opened.manifest.closeSync();
      await opened.lock?.release();
      throw toAofError(error, "opening the log");
    }
    try {
      await log.#readDedupeKeys();
    } catch (error) {
      await log.close().catch(() => {});
      throw toAofError(error, "reading the newest records for their dedupe keys");
    }
    return log;
  }

  private constructor(settings: ResolvedAofSettings, opened: OpenedLog, { metrics, keyProvider }: AofParts) {
    this.options = settings;
    this.#keys = opened.keys;
    this.#content = new ContentEncoder(
      settings.compression === false ? undefined : settings.compression,
      settings.encryption === false ? undefined : opened.keys,
      opened.epoch,
    );
    this.recovery = opened.report;
    this.epoch = opened.epoch;
    this.#lock = opened.lock;
    this.#manifest = opened.manifest;
    this.#index = opened.index;
    const { clock, random } = opened.directory;
    this.#clock = clock;
    this.#openedUs = clock.monotonicUs();

    this.#backgroundErrorFeed = new BackgroundErrorFeed(() => this.#controller.metrics.settings.name);
    this.#tasks = new BackgroundTasks((name, error) => {
      // A segment that cannot be sealed is a failed write like any other; the rest is no harm to what is appended.
      if (name === "finalize") this.#pipeline.fail(error);
      this.#backgroundErrorFeed.tell(name, error);
    });
    this.#catalog = new SegmentCatalog(opened.sealed);
    this.#cache = new SegmentCache(
      opened.directory,
      { segments: settings.segmentCacheSize, tableBytes: offsetTableBytesMax, blockBytes: settings.blockCacheBytes },
      () => this.#retention.segmentReleased(),
    );
    this.#readBuffers = new ReadBuffers(settings.readAheadBytes);
    this.#retentionClock = new RetentionClock(clock);
    this.#activator = new SegmentActivator(opened.directory, opened.manifest, settings.segmentSizeBytes);
    this.#ring = new AppendRing(settings.bufferBytes);
    this.#dedupe = settings.dedupeWindow === undefined ? undefined : new DedupeWindow(settings.dedupeWindow);
    this.#ownMetrics = metrics === undefined ? new FlushMetrics({}, { clock }) : undefined;
    this.#controller = new FlushController(settings.flushStrategy, {
      clock,
      metrics: metrics ?? (this.#ownMetrics as FlushMetrics),
    });

    const nextId = opened.report.lastId + 1;
    const active = new ActiveSegment(nextId, random.u64(), clock.wallUs());
    this.#activator.activate(active, opened.tail, opened.epoch, opened.report.lastId);
    this.#counters.segmentsCreated++;
    this.#catalog.add(active);
    this.#index.noteActive(this.#tasks, active);
    this.#life = new SegmentLife(settings, opened.epoch, {
      directory: opened.directory,
      manifest: opened.manifest,
      index: opened.index,
      tasks: this.#tasks,
      catalog: this.#catalog,
      activator: this.#activator,
      counters: this.#counters,
      onSealed: () => this.#retention.segmentSealed(),
    });

    const { kind } = settings.flushStrategy;
    const tuner =
      settings.autoTune === undefined
        ? undefined
        : new AutoTuner(settings.autoTune, { clock, controller: this.#controller });
    this.#pipeline = new FlushPipeline(
      active,
      {
        clock,
        ring: this.#ring,
        controller: this.#controller,
        activator: this.#activator,
        manifest: opened.manifest,
        onRetired: (segment, next) => this.#life.retire(segment, next),
        onWritten: (segment) => {
          this.#life.written(segment);
          tuner?.afterWrite();
          if (settings.segmentMaxAgeMs !== undefined) this.#writer.rotateWhenOld(this.#life.ageMs);
        },
        onFailure: (error) => this.#poison(error),
      },
      {
        blocking: settings.flushOn === "main",
        segmentSizeBytes: settings.segmentSizeBytes,
        zeroAhead: settings.preAllocateEnabled && kind !== "async",
        maxUnsyncedBytes: settings.flushStrategy.kind === "async" ? settings.flushStrategy.maxPendingBytes : undefined,
      },
    );
    this.#writer = new LogWriter(active, opened.sealed.at(-1)?.lastTimestampUs ?? 0, settings, {
      clock,
      random,
      ring: this.#ring,
      pipeline: this.#pipeline,
      controller: this.#controller,
      catalog: this.#catalog,
      counters: this.#counters,
      content: this.#content,
      dedupe: this.#dedupe,
    });
    this.#cursors = new CursorStore(opened.cursors, {
      directory: opened.directory,
      manifest: opened.manifest,
      tasks: this.#tasks,
      poison: (error) => this.#pipeline.fail(error),
    });
    this.#rewrap = new OnlineRewrap({
      directory: opened.directory,
      manifest: opened.manifest,
      keys: opened.keys,
      keyProvider,
      assertWritable: () => this.#assertOpen(),
      poison: (error) => this.#pipeline.fail(error),
      rotate: () => this.#writer.rotate(),
    });
    this.#view = new WriterView(settings, {
      catalog: this.#catalog,
      cache: this.#cache,
      readBuffers: this.#readBuffers,
      keys: opened.keys,
      clock: this.#retentionClock,
      counters: this.#counters,
      written: this.#pipeline.written,
      durable: this.#pipeline.durable,
      firstId: () => this.firstId,
      assertReadable: () => {
        if (this.#state === "closed") throw closedError();
      },
    });
    this.#retention = new Retention(settings, {
      directory: opened.directory,
      manifest: opened.manifest,
      index: this.#index,
      tasks: this.#tasks,
      catalog: this.#catalog,
      cache: this.#cache,
      cursors: this.#cursors,
      counters: this.#counters,
      clock: this.#retentionClock,
      writer: this.#writer,
      durableId: () => this.durableId,
      isWritable: () => this.#state === "open",
      refusal: () => this.#refusal(),
      poison: (error) => this.#pipeline.fail(error),
    });
    this.#stopExitHook = commitOnExit(() => {
      if (this.#state === "open") this.#pipeline.commitBlocking("shutdown");
    });
  }

  /** `poisoned` after the first failure; see {@link failure}. */
  get state(): AofState {
    return this.#state;
  }

  /** The failure that poisoned the log. */
  get failure(): AofError | undefined {
    return this.#pipeline.failure;
  }

  /** The oldest record's id, `nextId` when the log is empty. */
  get firstId(): number {
    return this.#manifest.current.firstId;
  }

  /** The newest appended record's id, `firstId - 1` when the log is empty. */
  get lastId(): number {
    return this.#writer.lastId;
  }

  /** The id that the next append will get. */
  get nextId(): number {
    return this.#writer.lastId + 1;
  }

  /** Everything up to here survives power loss. */
  get durableId(): number {
    return this.#pipeline.durable.value;
  }

  /** Everything up to here survives a kill of this process. */
  get writtenId(): number {
    return this.#pipeline.written.value;
  }

  /**
   * Appends a copy of `payload` and returns its id at once. When it is durable depends on the flush strategy: under
   * `sync` when this returns, otherwise later; {@link whenDurable} tells.
   * @param payload 0 bytes to what fits a segment; yours again when this returns
   * @returns the record's id; of a `dedupeKey` that the log knows, the id of the record that has it
   * @throws AofError `BACKPRESSURE` (await `error.ready`), `SEGMENT_FULL`, `INVALID_ARGUMENT`, `UNEXPECTED_ID`, `POISONED`,
   * `CLOSED`, and when it blocks for durability the first failure itself
   */
  append(payload: Uint8Array, options?: AppendOptions): number {
    if (this.#state !== "open") throw this.#refusal();
    const id = this.#writer.append(payload, options, "make-room");
    this.#writer.afterAppend(options?.durability);
    return id;
  }

  /**
   * {@link append} that never writes to make room: `WOULD_BLOCK` when the buffer is full. Under the `sync` strategy a
   * flush is booked instead of done before this returns, and so is what `durability` asks for.
   */
  tryAppend(payload: Uint8Array, options?: AppendOptions): number {
    if (this.#state !== "open") throw this.#refusal();
    const id = this.#writer.append(payload, options, "refuse");
    const { kind } = this.options.flushStrategy;
    if (kind === "sync" || options?.durability === "durable") this.#writer.flushSoon(id);
    else this.#writer.afterAppend();
    if (options?.durability === "written") this.#pipeline.requestWrite();
    return id;
  }

  /**
   * Appends a copy of `payload` and resolves with its id when it survives power loss. Callers that append while a sync
   * is under way share the next one.
   * @throws AofError as {@link append}; `ABORTED` when the signal fires first: the record stays appended
   */
  appendDurable(payload: Uint8Array, options?: DurableAppendOptions): Promise<number> {
    // Not `async`: one promise per waiting caller instead of two.
    try {
      if (this.#state !== "open") throw this.#refusal();
      refuseDurability(options);
      const id = this.#writer.append(payload, options, "make-room");
      this.#writer.flushSoon(id);
      return this.#pipeline.durable.reached(id, options?.signal);
    } catch (error) {
      return Promise.reject(toAofError(error, "appending"));
    }
  }

  /**
   * Appends all of `records` or, if the process or the power dies, none of them. Like {@link append} otherwise; under
   * `sync` they are durable, by one sync, when this returns.
   * @param records payloads, or with what only they carry; at least one; together they must fit a segment
   */
  appendBatch(records: readonly (Uint8Array | BatchRecord)[], options?: AppendOptions): AppendedBatch {
    if (this.#state !== "open") throw this.#refusal();
    const batch = this.#writer.appendBatch(records, options, "make-room");
    this.#writer.afterAppend(options?.durability);
    return batch;
  }

  /** {@link appendBatch} that resolves when all of them survive power loss. */
  async appendBatchDurable(
    records: readonly (Uint8Array | BatchRecord)[],
    options?: DurableAppendOptions,
  ): Promise<AppendedBatch> {
    if (this.#state !== "open") throw this.#refusal();
    refuseDurability(options);
    const batch = this.#writer.appendBatch(records, options, "make-room");
    this.#writer.flushSoon(batch.lastId);
    await this.#pipeline.durable.reached(batch.lastId, options?.signal);
    return batch;
  }

  /**
   * Makes everything appended so far durable.
   * @returns the durable id
   * @throws AofError `ABORTED`, `CLOSED`, `POISONED`, or the failure
   */
  async flush(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    if (this.#state !== "open") throw this.#refusal();
    assertKnownOptions("wait", options);
    const id = this.lastId;
    if (this.options.flushOn === "main") this.#pipeline.commitBlocking("forced");
    else this.#pipeline.requestFlush("forced", id);
    await this.#pipeline.durable.reached(id, options.signal);
    return this.durableId;
  }

  /**
   * Hands everything appended so far to the operating system: a kill of this process cannot take it any more.
   * @returns the written id
   * @throws AofError `ABORTED`, `CLOSED`, `POISONED`, or the failure
   */
  async write(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    if (this.#state !== "open") throw this.#refusal();
    assertKnownOptions("wait", options);
    const id = this.lastId;
    this.#pipeline.requestWrite();
    await this.#pipeline.written.reached(id, options.signal);
    return this.writtenId;
  }

  /** Resolves when record `id` survives a kill of this process. Does not ask for a write. */
  async whenWritten(id: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#assertAppended(id);
    assertKnownOptions("wait", options);
    if (id > this.writtenId && this.#state !== "open") throw this.#refusal();
    await this.#pipeline.written.reached(id, options.signal);
  }

  /** Resolves when record `id` survives power loss. Does not ask for a flush. */
  async whenDurable(id: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#assertAppended(id);
    assertKnownOptions("wait", options);
    if (id > this.durableId && this.#state !== "open") throw this.#refusal();
    await this.#pipeline.durable.reached(id, options.signal);
  }

  /**
   * The record `id`, undefined when there is none yet that `visibility` (default `durable`) lets you see, or it expired.
   * @throws AofError `RECORD_TRIMMED`, `CORRUPTED_RECORD`, `CORRUPTED_SEGMENT`, `INVALID_ARGUMENT`, `IO`, `CLOSED`
   */
  async get(id: number, options?: { readonly visibility?: Visibility }): Promise<AofRecord | undefined> {
    return this.getSync(id, options);
  }

  /** {@link get} without a promise: the record is on local disk, mostly in the page cache. */
  getSync(id: number, options?: { readonly visibility?: Visibility }): AofRecord | undefined {
    this.#view.assertReadable();
    if (options !== undefined) assertKnownOptions("get", options);
    assertReadableId(this.#view, id, "id");
    if (id > this.#view.visibleId(options?.visibility ?? "durable")) return undefined;
    this.#counters.totalReads++;
    return readRecordSync(this.#view, id);
  }

  /**
   * Id of the oldest record that is not older than `timestampUs`, for `from`, `trim`, a cursor; undefined when all are.
   * @throws AofError `INVALID_ARGUMENT`, `CORRUPTED_RECORD`, `CORRUPTED_SEGMENT`, `IO`, `CLOSED`
   */
  async findId(
    at: { readonly timestampUs: number },
    options?: { readonly visibility?: Visibility },
  ): Promise<number | undefined> {
    return findId(this.#view, at, options?.visibility ?? "durable");
  }

  /** Records in order, from wherever `options.from` says; see `ReadOptions`. Leaving the loop releases the reader. */
  read(options: ReadOptions = {}): RecordReader {
    return new RecordReader(this.#view, options, "durable");
  }

  /** {@link read} by batches: the fastest way to read many. In reverse, batches come newest first. */
  readBatches(options: ReadOptions = {}): BatchReader {
    return new BatchReader(this.#view, options, "durable");
  }

  /**
   * Wraps the log's keys anew, with the provider's current key: no record is rewritten. With `newDataKey` what is appended
   * from now on is encrypted with a key of its own. One at a time; appends go on meanwhile.
   * @throws AofError `INVALID_ARGUMENT` when the log was opened without keys, `UNSUPPORTED` when all 255 are used,
   * `ABORTED`, `CLOSED`, `POISONED`, and what the provider throws, after which the keys are as they were; a failed write
   * of KEYS poisons the log
   */
  rewrapKeys(options: RewrapOptions = {}): Promise<RewrapReport> {
    return this.#rewrap.rewrap(options);
  }

  /**
   * Removes every record with an id below `beforeId`, at once and for good, as far as cursors allow. Files of segments
   * that have no record left follow; one that a reader holds goes when the reader lets go of it.
   * @param beforeId 1 to `durableId + 1`
   * @throws AofError `INVALID_ARGUMENT`, `CLOSED`, `POISONED`; `FENCED`, `NO_SPACE`, `IO` when MANIFEST could not be
   * replaced, which poisons the log: whether the records are gone is known when it is opened again
   */
  async trim(beforeId: number, options: TrimOptions = {}): Promise<TrimReport> {
    if (this.#state !== "open") throw this.#refusal();
    assertKnownOptions("trim", options);
    return this.#retention.trim(beforeId, options);
  }

  /**
   * Does now what `ttlMs` and `retention` ask for, whatever the interval, without waiting for the clock to settle.
   * @param options.dryRun only say what would go
   * @throws AofError as {@link trim}
   */
  async applyRetention(options: { readonly dryRun?: boolean } = {}): Promise<RetentionReport> {
    if (this.#state !== "open") throw this.#refusal();
    assertKnownOptions("applyRetention", options);
    return this.#retention.apply(options.dryRun === true);
  }

  /**
   * The durable cursor of that name, made when there is none: it exists, and holds retention back, when this resolves.
   * @param name 1..200 bytes of UTF-8 without control characters
   * @throws AofError `INVALID_ARGUMENT`, `RECORD_TRIMMED`, `ABORTED`, `CLOSED`, `POISONED`, `FENCED`, `NO_SPACE`, `IO`
   */
  async cursor(name: string, options: CursorOptions = {}): Promise<Cursor> {
    if (this.#state !== "open") throw this.#refusal();
    return openCursor(name, options, this.#cursorHost());
  }

  /** Every cursor, sorted by name. */
  cursors(): Cursor[] {
    return [...this.#cursors.stored.keys()].sort().map((name) => new Cursor(name, this.#cursorHost()));
  }

  /** Every segment, oldest first. */
  segments(): SegmentInfo[] {
    return this.#catalog.segments.map((segment) => segmentInfo(segment, segment === this.#catalog.last));
  }

  /** The segment that records are appended to. */
  get activeSegment(): SegmentInfo | undefined {
    return this.segments().at(-1);
  }

  /** The flush strategy as it is now: as configured, but for what `autoTune` has moved. */
  get flushStrategyInForce(): ResolvedFlushStrategy {
    return this.#controller.strategy;
  }

  /** When flushes happened and how long they took: live, shared with the log. */
  flushMetrics(): FlushMetrics {
    return this.#controller.metrics;
  }

  /** A copy of every counter. */
  performanceMetrics(): AofMetricsSnapshot {
    const { hits, misses, evictions } = this.#cache.counters;
    const blocks = this.#cache.blockCounters;
    return {
      totalAppends: this.#counters.totalAppends,
      totalAppendedBytes: this.#counters.totalAppendedBytes,
      totalReads: this.#counters.totalReads,
      cacheHits: hits,
      cacheMisses: misses,
      cacheEvictions: evictions,
      blockCacheHits: blocks.hits,
      blockCacheMisses: blocks.misses,
      blockCacheEvictions: blocks.evictions,
      blockCacheBytes: blocks.bytes,
      segmentsCreated: this.#counters.segmentsCreated,
      segmentsFinalized: this.#counters.segmentsFinalized,
      backpressureEvents: this.#counters.backpressureEvents,
      sinceBackpressureUs: this.#since(this.#counters.backpressureAtUs),
      latePreparations: this.#counters.latePreparations,
      sinceLatePreparationUs: this.#since(this.#counters.latePreparationAtUs),
      uptimeUs: this.#clock.monotonicUs() - this.#openedUs,
      trimmedRecords: this.#counters.trimmedRecords,
      trimmedSegments: this.#counters.trimmedSegments,
      trimmedBytes: this.#counters.trimmedBytes,
      cursors: this.#cursors.stored.size,
      duplicates: this.#counters.duplicates,
      openReaders: this.#view.openReaders,
      readAheadBytes: this.#readBuffers.lentBytes,
      bufferedBytes: this.#ring.pendingBytes,
      flush: this.#controller.metrics.snapshot(),
    };
  }

  /** {@link performanceMetrics}, read now. */
  get metrics(): AofMetricsSnapshot {
    return this.performanceMetrics();
  }

  /** The last failure of each kind of background task; empty when all is well. */
  get backgroundErrors(): ReadonlyMap<string, AofError> {
    return this.#tasks.errors;
  }

  /**
   * Calls `listener` for each failure of something that the log does by itself and that no call of yours reports: once,
   * in a microtask, with the task's name. What it throws is a warning of the process and no harm to the log.
   * @returns ends it; idempotent
   */
  onBackgroundError(listener: BackgroundErrorListener): () => void {
    return this.#backgroundErrorFeed.add(listener);
  }

  /** Whether the log is well, and if not, what is to be done. Never throws; about as dear as a metrics snapshot. */
  health(): HealthReport {
    const { flushingSinceUs } = this.#controller;
    return assessHealth({
      state: this.#state,
      failure: this.#state === "closed" ? undefined : plainError(this.failure),
      lastId: this.lastId,
      writtenId: this.writtenId,
      durableId: this.durableId,
      backgroundErrors: Object.fromEntries(
        [...this.#tasks.errors]
          .filter(([task]) => this.#tasks.failing.has(task))
          .map(([task, { code, message }]) => [task, { code, message }]),
      ),
      flushingForMs: flushingSinceUs === undefined ? undefined : (this.#clock.monotonicUs() - flushingSinceUs) / 1000,
      bufferBytes: this.options.bufferBytes,
      maxReaders: this.options.maxReaders,
      metrics: this.performanceMetrics(),
    });
  }

  /**
   * Makes everything durable, seals the log, and releases its files and its lock. Idempotent. Readers end.
   * @throws AofError the first failure, after releasing everything, when something appended could not be made durable
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #readDedupeKeys(): Promise<void> {
    const { dedupeWindow } = this.options;
    if (this.#dedupe === undefined || dedupeWindow === undefined) return;
    await rebuildDedupeWindow(this.#dedupe, this.#view, this.lastId, dedupeWindow.maxRecords);
  }

  async #close(): Promise<void> {
    const wasOpen = this.#state === "open";
    if (wasOpen) this.#state = "closing";
    await this.#rewrap.end();
    this.#writer.cancelTimer();
    this.#life.end();
    this.#retention.end();
    let failure: unknown;
    if (wasOpen) {
      try {
        await this.#flushForClose();
      } catch (error) {
        failure = error;
      }
    }
    await this.#pipeline.idle();
    await this.#tasks.settled();
    if (wasOpen && failure === undefined) {
      try {
        await this.#life.finish(this.#pipeline.current, this.durableId);
      } catch (error) {
        failure = toAofError(error, "closing the log");
      }
    }
    if (this.lastId > this.durableId) failure ??= this.#pipeline.failure;
    await this.#release();
    if (failure !== undefined) throw failure as Error;
  }

  async #flushForClose(): Promise<void> {
    if (this.options.flushOn === "main") this.#pipeline.commitBlocking("shutdown");
    else this.#pipeline.requestFlush("shutdown", this.lastId);
    await this.#pipeline.durable.reached(this.lastId);
  }

  async #release(): Promise<void> {
    this.#stopExitHook();
    const closed = closedError();
    this.#pipeline.fail(closed);
    const steps = [
      () => this.#activator.close(),
      () => this.#tasks.settled(),
      () => this.#cache.close(),
      async () => {
        this.#content.close();
        this.#keys?.close();
      },
      () => this.#index.close(),
      async () => {
        await this.#pipeline.current.handle?.close();
        this.#manifest.closeSync();
        this.#ownMetrics?.close();
      },
      async () => this.#lock?.release(),
    ];
    this.#state = "closed";
    for (const step of steps) {
      try {
        await step();
      } catch {
        // Releasing goes on: what mattered was made durable before, or its failure is reported already.
      }
    }
  }

  #poison(error: AofError): void {
    if (this.#state !== "open" && this.#state !== "closing") return;
    // Closing ends the pipeline the way a failure does; nothing failed.
    if (error.code === "CLOSED") return;
    this.#state = "poisoned";
    this.#writer.cancelTimer();
    this.#tasks.note("flush", error);
  }

  #since(atUs: number | undefined): number | undefined {
    return atUs === undefined ? undefined : this.#clock.monotonicUs() - atUs;
  }

  #refusal(): AofError {
    if (this.#state === "poisoned") {
      const cause = this.#pipeline.failure;
      if (cause?.code === "FENCED") return cause;
      return new AofError(
        "POISONED",
        `an earlier write failed (${cause?.code}: ${cause?.message}); close this log and open it again to recover`,
        { cause },
      );
    }
    return closedError();
  }

  #assertOpen(): void {
    if (this.#state !== "open") throw this.#refusal();
  }

  #assertAppended(id: number): void {
    if (!Number.isSafeInteger(id) || id < 1 || id > this.lastId) {
      throw new AofError("INVALID_ARGUMENT", `id: got ${String(id)}, want an appended record's: 1..${this.lastId}`);
    }
  }

  #cursorHost(): CursorHost {
    return {
      store: this.#cursors,
      firstId: () => this.firstId,
      durableId: () => this.durableId,
      findTime: (timestampUs) => findTimestamp(this.#view, timestampUs, this.durableId),
      read: (options) => this.read(options),
      assertWritable: () => this.#assertOpen(),
    };
  }
}

function plainError(error: AofError | undefined): HealthError | undefined {
  return error === undefined ? undefined : { code: error.code, message: error.message };
}

function closedError(): AofError {
  return new AofError("CLOSED", "the log was closed; open it again");
}
