/**
 * The append path: checks a record, gives it an id and a place, encodes it into the ring, and asks the pipeline for
 * what the flush strategy wants.
 *
 * Always true:
 *  I1  ids are consecutive; `lastId` is the newest encoded record's
 *  I2  a refused append changed nothing
 *  I3  a record is encoded for the segment it will stand in, with that segment's salt and durable end
 */
import type { Clock, Random, TimerHandle } from "@varve/fs-core";
import type { FlushController, FlushTrigger } from "@varve/flush-metrics";
import { ActiveSegment } from "./active-segment.ts";
import type { AppendRing, PendingSpan } from "./append-ring.ts";
import type { ContentEncoder, ContentOptions } from "./content/content-encoder.ts";
import type { PlannedBody } from "./content/record-body.ts";
import { assertDurability, type Durability, judgeConditions } from "./append-conditions.ts";
import type { DedupeWindow, KeyedRecords } from "./dedupe-window.ts";
import { AofError, toAofError } from "./errors.ts";
import type { FlushPipeline } from "./flush-pipeline.ts";
import { maxRecordId, recordBytes, recordFlag } from "./format/record-layout.ts";
import { segmentHeaderBytes } from "./format/segment-header.ts";
import { assertKnownOptions } from "./known-options.ts";
import type { AofCounters } from "./metrics.ts";
import { RecordEncoder } from "./record-encoder.ts";
import { type AppendOptions, assertPayload, assertTimestamp, type BatchRecord } from "./record-input.ts";
import type { SegmentCatalog } from "./segment-catalog.ts";
import type { ResolvedAofSettings } from "./settings.ts";

export interface WriterParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ring: AppendRing;
  readonly pipeline: FlushPipeline;
  readonly controller: FlushController;
  readonly catalog: SegmentCatalog;
  readonly counters: AofCounters;
  /** undefined: keys are refused. */
  readonly dedupe: DedupeWindow | undefined;
  readonly content: ContentEncoder;
}

/** Ids of an appended batch: consecutive. */
export interface AppendedBatch {
  readonly firstId: number;
  readonly lastId: number;
}

/** What to do when the ring is full. */
type WhenFull = "make-room" | "refuse";

/** Under `async` nobody asks for a sync; one follows this long after an append, so that readers see it. */
const asyncSyncDelayMs = 1000;

const clockEvery = 16;

export class LogWriter {
  readonly #parts: WriterParts;
  readonly #settings: ResolvedAofSettings;
  readonly #encoder: RecordEncoder;
  /** The segment that the next record is encoded for. */
  #segment: ActiveSegment;
  #lastTimestampUs: number;
  #clockUs = 0;
  #sinceClock = 0;
  #timer: TimerHandle | undefined;
  readonly #isTimed: boolean;
  readonly #isAsync: boolean;
  /** A record without options is stored as it is. */
  readonly #isPlain: boolean;

  /** @param segment the active, empty segment that a fresh open begins with */
  constructor(segment: ActiveSegment, lastTimestampUs: number, settings: ResolvedAofSettings, parts: WriterParts) {
    this.#segment = segment;
    this.#lastTimestampUs = lastTimestampUs;
    this.#settings = settings;
    this.#parts = parts;
    this.#encoder = new RecordEncoder(parts.ring.memory);
    const { kind } = settings.flushStrategy;
    this.#isAsync = kind === "async";
    this.#isPlain = parts.content.isPlain;
    this.#isTimed = kind === "periodic" || kind === "batched-or-periodic" || this.#isAsync;
  }

  get lastId(): number {
    return this.#segment.lastId;
  }

  /** The segment that records are encoded for now. */
  get segment(): ActiveSegment {
    return this.#segment;
  }

  /** Appends one record; the caller then triggers the flush that its promise needs. */
  append(payload: Uint8Array, options: AppendOptions | undefined, whenFull: WhenFull): number {
    assertPayload(payload, this.#settings.segmentSizeBytes);
    if (options !== undefined) {
      const known = this.#judge(options, whenFull);
      if (known !== undefined) return known.firstId;
    }
    if (!this.#isPlain || (options !== undefined && hasContent(options))) {
      return this.#appendContent([payload], options, whenFull).lastId;
    }
    const bytes = recordBytes(payload.length);
    const timestampUs = this.#timestamp(options);
    const segment = this.#segmentWithRoom(bytes, 1);
    const id = segment.lastId + 1;
    const span =
      this.#parts.ring.reserve(segment, bytes, segment.end, id) ?? this.#reserveFull(segment, bytes, id, whenFull);
    const encoder = span.oversize ? new RecordEncoder(span.memory) : this.#encoder;
    encoder.encode(this.#parts.ring.reservedAt, payload, id, timestampUs, 0, 0, segment.end - segment.durableEnd);
    segment.push(bytes, timestampUs);
    this.#lastTimestampUs = timestampUs;
    const { counters } = this.#parts;
    counters.totalAppends++;
    counters.totalAppendedBytes += payload.length;
    this.#parts.controller.recordAppend(1, bytes);
    return id;
  }

  /** Appends all or none: a recovery never finds a part of them. */
  appendBatch(
    records: readonly (Uint8Array | BatchRecord)[],
    options: AppendOptions | undefined,
    whenFull: WhenFull,
  ): AppendedBatch {
    if (!Array.isArray(records) || records.length === 0) {
      throw new AofError("INVALID_ARGUMENT", "a batch is an array of at least one Uint8Array or { payload }");
    }
    if (options !== undefined) {
      const known = this.#judge(options, whenFull);
      if (known !== undefined) return { firstId: known.firstId, lastId: known.lastId };
    }
    if (!this.#isPlain || (options !== undefined && hasContent(options))) {
      return this.#appendContent(records, options, whenFull);
    }
    const payloads = records as readonly Uint8Array[];
    let bytes = 0;
    let payloadBytes = 0;
    for (const payload of payloads) {
      if (isBatchRecord(payload)) return this.#appendContent(records, options, whenFull);
      assertPayload(payload, this.#settings.segmentSizeBytes);
      bytes += recordBytes(payload.length);
      payloadBytes += payload.length;
    }
    const timestampUs = this.#timestamp(options);
    const segment = this.#segmentWithRoom(bytes, payloads.length);
    const firstId = segment.lastId + 1;
    const lastId = segment.lastId + payloads.length;
    const span =
      this.#parts.ring.reserve(segment, bytes, segment.end, lastId) ??
      this.#reserveFull(segment, bytes, lastId, whenFull);
    const encoder = span.oversize ? new RecordEncoder(span.memory) : this.#encoder;
    let at = this.#parts.ring.reservedAt;
    let left = payloads.length;
    for (const payload of payloads) {
      const flags = --left > 0 ? recordFlag.batchContinues : 0;
      const distance = segment.end - segment.durableEnd;
      encoder.encode(at, payload, segment.lastId + 1, timestampUs, flags, 0, distance);
      const length = recordBytes(payload.length);
      segment.push(length, timestampUs);
      at += length;
    }
    this.#lastTimestampUs = timestampUs;
    const { counters } = this.#parts;
    counters.totalAppends += payloads.length;
    counters.totalAppendedBytes += payloadBytes;
    this.#parts.controller.recordAppend(payloads.length, bytes);
    return { firstId, lastId };
  }

  /** What the strategy, or the append itself, asks for after an append that does not wait. */
  afterAppend(durability?: Durability): void {
    const { pipeline } = this.#parts;
    if (durability === "durable") pipeline.commitBlocking("forced");
    else if (durability === "written") pipeline.writeBlocking();
    const trigger = this.#parts.controller.shouldFlush();
    if (trigger === "sync") {
      this.#parts.pipeline.commitBlocking("sync");
      return;
    }
    this.#schedule(trigger);
  }

  /** What it asks for after an append whose caller waits for `id` to be durable. */
  flushSoon(id: number): void {
    const { kind } = this.#settings.flushStrategy;
    this.#parts.pipeline.requestFlush(kind === "sync" ? "sync" : "forced", id);
  }

  cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The next record begins a segment. */
  rotate(): void {
    if (this.#segment.count > 0) this.#segment.isFull = true;
  }

  /** The active segment takes no more records once it is older than the settings allow. */
  rotateWhenOld(ageMs: number): void {
    const { segmentMaxAgeMs } = this.#settings;
    if (segmentMaxAgeMs !== undefined && this.#segment.count > 0 && ageMs >= segmentMaxAgeMs)
      this.#segment.isFull = true;
  }

  /** Records whose bodies may be more than their payloads, all or none. */
  #appendContent(
    records: readonly (Uint8Array | BatchRecord)[],
    options: AppendOptions | undefined,
    whenFull: WhenFull,
  ): AppendedBatch {
    const { content, ring, counters, controller, pipeline } = this.#parts;
    for (const record of records) {
      if (isBatchRecord(record)) assertKnownOptions("batch record", record);
      assertPayload(payloadOf(record), this.#settings.segmentSizeBytes);
    }
    const timestampUs = this.#timestamp(options);
    let bytes = 0;
    const plans: PlannedBody[] = [];
    for (const record of records) {
      // A key names the whole batch, and stands on its first record.
      const key = plans.length > 0 ? undefined : options?.dedupeKey;
      const dedupe = key === undefined ? {} : { dedupeKey: key, dedupeCount: records.length };
      const plan = content.plan(payloadOf(record), { ...contentOptions(record, options), ...dedupe }, timestampUs);
      plans.push(plan);
      bytes += recordBytes(plan.size);
      // Checked as it grows: no more is compressed, and kept, than a segment can hold.
      if (segmentHeaderBytes + bytes > this.#settings.segmentSizeBytes) break;
    }
    const segment = this.#segmentWithRoom(bytes, records.length);
    const firstId = segment.lastId + 1;
    const lastId = segment.lastId + records.length;
    const span =
      ring.reserve(segment, bytes, segment.end, lastId) ?? this.#reserveFull(segment, bytes, lastId, whenFull);
    try {
      this.#encodeContent(plans, segment, span, timestampUs);
    } catch (error) {
      // The room is taken but holds no record: nothing behind it may be written.
      const failure = toAofError(error, "encoding a record");
      pipeline.fail(failure);
      throw failure;
    }
    this.#lastTimestampUs = timestampUs;
    if (options?.dedupeKey !== undefined) {
      this.#parts.dedupe?.note(options.dedupeKey, { firstId, lastId, timestampUs });
    }
    counters.totalAppends += records.length;
    for (const record of records) counters.totalAppendedBytes += payloadOf(record).length;
    controller.recordAppend(records.length, bytes);
    return { firstId, lastId };
  }

  /** Only now: an id that was given to a refused record would be a nonce used twice. */
  #encodeContent(plans: readonly PlannedBody[], segment: ActiveSegment, span: PendingSpan, timestampUs: number): void {
    const encoder = span.oversize ? new RecordEncoder(span.memory) : this.#encoder;
    let at = this.#parts.ring.reservedAt;
    for (const [index, plan] of plans.entries()) {
      const id = segment.lastId + 1;
      const flags = plan.flags | (index < plans.length - 1 ? recordFlag.batchContinues : 0);
      const body = this.#parts.content.encode(plan, segment, id, timestampUs, flags);
      const distance = segment.end - segment.durableEnd;
      encoder.encode(at, body, id, timestampUs, flags, plan.codecBits, distance);
      const length = recordBytes(plan.size);
      segment.push(length, timestampUs);
      if (plan.expiresAtUs > 0) segment.pushExpiry(plan.expiresAtUs);
      at += length;
    }
  }

  /** The segment takes no more records, should it still be the one that records go to. */
  leaveSegment(baseId: number): void {
    if (this.#segment.baseId === baseId && this.#segment.count > 0) this.#segment.isFull = true;
  }

  /** @returns the records that answer for this append already. @throws AofError when it is refused */
  #judge(options: AppendOptions, whenFull: WhenFull): KeyedRecords | undefined {
    const { dedupe, counters, pipeline } = this.#parts;
    const { durability } = options;
    assertKnownOptions("append", options);
    assertDurability(durability);
    const known = judgeConditions(options, dedupe, this.lastId, this.#timestamp(options));
    if (known !== undefined) {
      counters.duplicates++;
    } else if (
      durability !== undefined &&
      durability !== "buffered" &&
      whenFull === "make-room" &&
      pipeline.isDraining
    ) {
      throw this.#full(whenFull);
    }
    return known;
  }

  #schedule(trigger: FlushTrigger | undefined): void {
    const { pipeline } = this.#parts;
    if (this.#isAsync) pipeline.requestWrite();
    else if (trigger !== undefined) pipeline.requestFlush(trigger, this.lastId);
    if (this.#isTimed && this.#timer === undefined) this.#armTimer();
  }

  #armTimer(): void {
    const delayMs = this.#isAsync ? asyncSyncDelayMs : this.#parts.controller.dueInMs();
    if (delayMs === undefined) return;
    this.#timer = this.#parts.clock.after(delayMs, () => {
      this.#timer = undefined;
      const { pipeline, controller } = this.#parts;
      if (pipeline.failure !== undefined) return;
      const isDue = this.#isAsync || controller.dueInMs() === 0;
      if (isDue) pipeline.requestFlush("periodic", this.lastId);
      // Not due: a flush took what this was armed for, and more came since.
      else this.#armTimer();
    });
  }

  #timestamp(options: AppendOptions | undefined): number {
    const given = options?.timestampUs;
    if (given !== undefined) assertTimestamp(given);
    const timestampUs = given ?? this.#now();
    return timestampUs < this.#lastTimestampUs ? this.#lastTimestampUs : timestampUs;
  }

  /**
   * The clock, once for up to 16 records of one turn of the loop: read for each it would be a sixth of an append (60 ns
   * measured).
   */
  #now(): number {
    if (this.#parts.pipeline.isScheduled && ++this.#sinceClock < clockEvery) return this.#clockUs;
    this.#sinceClock = 0;
    this.#clockUs = this.#parts.clock.wallUs();
    return this.#clockUs;
  }

  #segmentWithRoom(bytes: number, records: number): ActiveSegment {
    const segment = this.#segment;
    const { segmentSizeBytes, segmentMaxRecords } = this.#settings;
    if (segment.lastId + records > maxRecordId) {
      throw new AofError("SEGMENT_FULL", "the log has used all 2^53 - 1 ids");
    }
    const fits = segment.end + bytes <= segmentSizeBytes && !segment.isFull;
    const inCount =
      segmentMaxRecords === undefined || segment.count + records <= segmentMaxRecords || segment.count === 0;
    if (fits && inCount) return segment;
    if (segmentHeaderBytes + bytes > segmentSizeBytes) {
      throw new AofError(
        "SEGMENT_FULL",
        `a batch of ${records} records takes ${bytes} bytes and does not fit a segment of ${segmentSizeBytes}; raise segmentSizeBytes or split it`,
      );
    }
    return this.#nextSegment();
  }

  #nextSegment(): ActiveSegment {
    const { random, clock, catalog } = this.#parts;
    const segment = new ActiveSegment(this.#segment.lastId + 1, random.u64(), clock.wallUs());
    this.#segment = segment;
    catalog.add(segment);
    return segment;
  }

  #reserveFull(segment: ActiveSegment, bytes: number, lastId: number, whenFull: WhenFull): PendingSpan {
    const { ring, pipeline } = this.#parts;
    if (whenFull === "make-room" && pipeline.makeRoom()) {
      const span = ring.reserve(segment, bytes, segment.end, lastId);
      if (span !== undefined) return span;
    }
    throw this.#full(whenFull);
  }

  #full(whenFull: WhenFull): AofError {
    const { ring, pipeline, counters } = this.#parts;
    counters.backpressureEvents++;
    counters.backpressureAtUs = this.#parts.clock.monotonicUs();
    const ready = pipeline.whenRoom();
    if (whenFull === "refuse") {
      return new AofError("WOULD_BLOCK", "the append buffer is full; await the error's ready, then try again", {
        ready,
      });
    }
    return new AofError(
      "BACKPRESSURE",
      `${ring.pendingBytes} of ${ring.capacity} buffered bytes wait for the disk; await the error's ready, then append again`,
      { ready },
    );
  }
}

function hasContent(options: AppendOptions): boolean {
  return options.headers !== undefined || options.ttlMs !== undefined || options.dedupeKey !== undefined;
}

function isBatchRecord(record: Uint8Array | BatchRecord): record is BatchRecord {
  return !(record instanceof Uint8Array) && typeof record === "object" && record !== null && "payload" in record;
}

function payloadOf(record: Uint8Array | BatchRecord): Uint8Array {
  return isBatchRecord(record) ? record.payload : record;
}

function contentOptions(record: Uint8Array | BatchRecord, options: AppendOptions | undefined): ContentOptions {
  const own: ContentOptions = isBatchRecord(record) ? record : {};
  const headers = own.headers ?? options?.headers;
  const ttlMs = own.ttlMs ?? options?.ttlMs;
  return { ...(headers === undefined ? {} : { headers }), ...(ttlMs === undefined ? {} : { ttlMs }) };
}
