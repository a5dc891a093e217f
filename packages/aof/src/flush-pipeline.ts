/**
 * Takes encoded records from the ring to the disk: write, sync, acknowledge, and on to the next segment. The only code
 * that writes to a segment.
 *
 * Always true:
 *  I1  one write and one sync are in flight at most; spans are written in log order
 *  I2  durable ≤ written ≤ appended; `durable` rises only after a sync that began after the write, and only while
 *      MANIFEST is still ours
 *  I3  nothing is written to a segment before everything in the one before it is durable and MANIFEST names it
 *  I4  after the first failure nothing is written, synced or acknowledged any more; every waiter gets that failure
 *  I5  a sync covers what was written before it began, never what is written meanwhile
 *
 * Where the work runs. `main`: write and sync block the loop in one go, which is the shortest way for one waiting
 * caller. `pool`: the write is synchronous up to 256 KiB (it only fills the page cache; a trip through the pool costs
 * 40–80 µs), the sync always asynchronous. A blocking commit is also what `append` under `sync` and the exit hook use.
 */
import type { Clock } from "@varve/fs-core";
import type { FlushController, FlushToken, FlushTrigger } from "@varve/flush-metrics";
import type { ActiveSegment } from "./active-segment.ts";
import type { AppendRing, PendingSpan } from "./append-ring.ts";
import { CommitPacing } from "./commit-pacing.ts";
import { AofError, toAofError } from "./errors.ts";
import type { SegmentTail } from "./format/manifest-codec.ts";
import type { ManifestFile } from "./manifest-file.ts";
import { sealRecords } from "./record-encoder.ts";
import type { SegmentActivator } from "./segment-activator.ts";
import { Watermark } from "./watermark.ts";

export interface PipelineParts {
  readonly clock: Clock;
  readonly ring: AppendRing;
  readonly controller: FlushController;
  readonly activator: SegmentActivator;
  readonly manifest: ManifestFile;
  /** `segment` was left behind, all of it durable, and `next` begun: seal it. */
  readonly onRetired: (segment: ActiveSegment, next: ActiveSegment) => void;
  /** Bytes were written to `segment`: prepare the next one when it is time. */
  readonly onWritten: (segment: ActiveSegment) => void;
  /** Called once, with the first failure. */
  readonly onFailure: (error: AofError) => void;
}

export interface PipelineSettings {
  readonly blocking: boolean;
  readonly segmentSizeBytes: number;
  /** Write zeroes ahead of small commits, so that their sync commits no metadata. */
  readonly zeroAhead: boolean;
  /** With the `async` strategy: start a sync when so many written bytes are not durable, refuse appends at twice that. */
  readonly maxUnsyncedBytes: number | undefined;
}

/** Up to here a write only fills the page cache faster than a round trip through the thread pool takes. */
const syncWriteBytes = 256 * 1024;
/** Zeroes written ahead at once: about 0.1 ms now for 2 700 records of 64 bytes that then sync 1.3 × faster. */
const zeroAheadBytes = 256 * 1024;
/** Larger commits than this pay more for zeroes than they gain. */
const zeroAheadMaxCommit = 64 * 1024;

export class FlushPipeline {
  readonly written: Watermark;
  readonly durable: Watermark;
  readonly #parts: PipelineParts;
  readonly #settings: PipelineSettings;
  readonly #ringBytes: Uint8Array;
  #current: ActiveSegment;
  #failure: AofError | undefined;
  /** A turn of the loop is booked. */
  #scheduled = false;
  #scheduledUs = 0;
  readonly #pacing = new CommitPacing();
  #draining: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  /** Make everything up to `#target` durable; start as soon as `#wanted` is written. 0: nobody asked. */
  #wanted = 0;
  #target = 0;
  #trigger: FlushTrigger = "forced";
  #zeroAheadFailed = false;
  /** Counted records and bytes that were written but are in no flush yet. */
  #unsyncedRecords = 0;
  #unsyncedBytes = 0;
  #room:
    | { readonly promise: Promise<void>; readonly resolve: () => void; readonly reject: (error: Error) => void }
    | undefined;

  constructor(current: ActiveSegment, parts: PipelineParts, settings: PipelineSettings) {
    this.#current = current;
    this.#parts = parts;
    this.#settings = settings;
    this.#ringBytes = new Uint8Array(parts.ring.memory.buffer);
    this.written = new Watermark(current.lastId);
    this.durable = new Watermark(current.lastId);
  }

  /** The segment that the disk knows as active. */
  get current(): ActiveSegment {
    return this.#current;
  }

  get failure(): AofError | undefined {
    return this.#failure;
  }

  /** Whether the next turn of the loop will write: until then, the loop has not turned. */
  get isScheduled(): boolean {
    return this.#scheduled;
  }

  /** Whether a write, a sync or a turn is under way. */
  get isBusy(): boolean {
    return this.#scheduled || this.#draining !== undefined || this.#syncing !== undefined;
  }

  /** Everything appended so far is durable on return. @throws AofError the first failure */
  commitBlocking(trigger: FlushTrigger): void {
    if (this.#failure !== undefined) throw this.#failure;
    const { ring, controller } = this.#parts;
    if (ring.isEmpty && this.durable.value === this.written.value) return;
    const token = controller.begin(trigger);
    try {
      for (let span = ring.takeFirst(); span !== undefined; span = ring.takeFirst()) this.#writeBlocking(span, true);
      this.#syncBlocking();
    } catch (error) {
      controller.fail(token, error);
      throw this.#fail(error);
    }
    controller.succeed(token);
    this.#unsyncedRecords = 0;
    this.#unsyncedBytes = 0;
  }

  /** Whether a write is under way in the thread pool: memory it reads must not be written by anybody else. */
  get isDraining(): boolean {
    return this.#draining !== undefined;
  }

  /** Everything appended so far is with the operating system on return. Not while draining. @throws AofError the first failure */
  writeBlocking(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const { ring } = this.#parts;
    try {
      for (let span = ring.takeFirst(); span !== undefined; span = ring.takeFirst()) this.#writeBlocking(span, false);
    } catch (error) {
      throw this.#fail(error);
    }
    this.#maybeSync();
  }

  /** Books a flush of everything up to `id`; never throws. Failures reach the waiters and every later call. */
  requestFlush(trigger: FlushTrigger, id: number): void {
    if (id <= this.durable.value) return;
    if (this.#target === 0) {
      this.#wanted = id;
      this.#trigger = trigger;
    }
    this.#target = Math.max(this.#target, id);
    this.#schedule();
    if (id - this.written.value >= this.#pacing.startAt && this.#syncing === undefined) this.#turn();
  }

  /** Books a write of everything appended to the operating system. */
  requestWrite(): void {
    this.#schedule();
  }

  /**
   * Makes room in the ring by writing it out now, without a sync.
   * @returns false when a write or a change of segment is under way: wait for {@link whenRoom}
   * @throws AofError the first failure
   */
  makeRoom(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#settings.blocking) {
      this.commitBlocking("backpressure");
      return true;
    }
    if (this.#draining !== undefined || this.isOverBound) return false;
    try {
      if (!this.#writeOut()) return false;
    } catch (error) {
      throw this.#fail(error);
    }
    this.#maybeSync();
    return true;
  }

  /** Whether the `async` strategy's bound says no to more records until a sync ends. */
  get isOverBound(): boolean {
    const bound = this.#settings.maxUnsyncedBytes;
    return bound !== undefined && this.#syncing !== undefined && this.#unsyncedBytes >= bound;
  }

  /** Resolves when something was written or synced; rejects when nothing will be any more. Has an owner already. */
  whenRoom(): Promise<void> {
    if (this.#failure !== undefined) return ownedRejection(this.#failure);
    if (this.#room === undefined) {
      let resolve: () => void = () => {};
      let reject: (error: Error) => void = () => {};
      const promise = new Promise<void>((yes, no) => {
        resolve = yes;
        reject = no;
      });
      promise.catch(() => {});
      this.#room = { promise, resolve, reject };
    }
    this.#schedule();
    return this.#room.promise;
  }

  /** Resolves when nothing is under way; never rejects. */
  async idle(): Promise<void> {
    while (this.isBusy) {
      await this.#draining;
      await this.#syncing;
      if (this.#scheduled) await new Promise<void>((resolve) => this.#parts.clock.defer(resolve));
    }
  }

  /** Stops for good: what is in flight ends, nothing new begins. */
  fail(error: AofError): void {
    this.#fail(error);
  }

  #schedule(): void {
    if (this.#scheduled || this.#draining !== undefined || this.#failure !== undefined) return;
    this.#scheduled = true;
    this.#scheduledUs = this.#parts.clock.monotonicUs();
    this.#parts.clock.defer(() => {
      this.#scheduled = false;
      if (this.#syncing === undefined) {
        const gathered = this.#parts.clock.monotonicUs() - this.#scheduledUs;
        this.#pacing.gathered(this.#target - this.written.value, gathered);
      }
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#failure !== undefined) return;
    if (this.#settings.blocking) {
      this.#turnBlocking();
      return;
    }
    if (this.#draining !== undefined) return;
    if (this.#parts.ring.pendingBytes <= syncWriteBytes && this.#drainNow()) return;
    this.#draining = this.#drain()
      .catch((error: unknown) => {
        this.#fail(error);
      })
      .finally(() => {
        this.#draining = undefined;
        this.#continue();
      });
  }

  /** Writes what is pending, without a sync. False where a change of segment has to wait for the sync in flight. */
  #writeOut(): boolean {
    const { ring } = this.#parts;
    for (let span = ring.takeFirst(); span !== undefined; span = ring.takeFirst()) {
      if (span.segment !== this.#current && this.#syncing !== undefined) return false;
      this.#writeBlocking(span, false);
    }
    return true;
  }

  /** While a sync is in flight more records gather for the next one, unless memory runs low or nobody waits. */
  #holdsBack(): boolean {
    const { ring } = this.#parts;
    return (
      this.#syncing !== undefined &&
      this.#settings.maxUnsyncedBytes === undefined &&
      this.#room === undefined &&
      ring.pendingBytes * 2 < ring.capacity
    );
  }

  #turnBlocking(): void {
    try {
      if (this.#target === 0) this.#writeOut();
      const bound = this.#settings.maxUnsyncedBytes;
      if (this.#target > 0) this.commitBlocking(this.#trigger);
      else if (bound !== undefined && this.#unsyncedBytes >= bound) this.commitBlocking("backpressure");
    } catch (error) {
      // Every waiter learns of it, and the next append throws it.
      this.#fail(error);
    }
    this.#releaseRoom();
  }

  /** The common case without a promise: short spans of the current segment. False when there is more to it. */
  #drainNow(): boolean {
    const { ring } = this.#parts;
    try {
      while (!ring.isEmpty && !this.#holdsBack()) {
        const span = ring.takeFirst() as PendingSpan;
        if (span.segment !== this.#current) return false;
        this.#writeBlocking(span, this.#target > 0);
      }
    } catch (error) {
      this.#fail(error);
      return true;
    }
    this.#maybeSync();
    if (ring.isEmpty && this.#syncing === undefined) this.#releaseRoom();
    return true;
  }

  async #drain(): Promise<void> {
    const { ring } = this.#parts;
    while (!ring.isEmpty && !this.#holdsBack() && this.#failure === undefined) {
      const span = ring.takeFirst() as PendingSpan;
      if (span.segment !== this.#current) await this.#switchSegment(span.segment);
      if (span.length <= syncWriteBytes) this.#writeBlocking(span, this.#target > 0);
      else await this.#write(span);
      this.#maybeSync();
    }
  }

  #continue(): void {
    if (this.#failure !== undefined) return;
    this.#maybeSync();
    if (this.#parts.ring.isEmpty || this.#holdsBack()) return;
    if (this.#pacing.startAt === Number.POSITIVE_INFINITY) this.#schedule();
    else this.#turn();
  }

  #writeBlocking(span: PendingSpan, willSync: boolean): void {
    const { segment } = span;
    if (segment !== this.#current) this.#switchSegmentBlocking(segment);
    this.#sealRecords(span);
    this.#addChecksum(span);
    const handle = segment.handle;
    if (handle === undefined) throw noSegment(segment);
    try {
      handle.writeAtSync(span.fileOffset, this.#bytesOf(span));
      const end = span.fileOffset + span.length;
      if (willSync && this.#settings.zeroAhead && end > segment.zeroedEnd) this.#zeroAhead(segment, end, span.length);
    } catch (error) {
      this.#rollBack(segment);
      throw error;
    }
    this.#wrote(span);
  }

  async #write(span: PendingSpan): Promise<void> {
    const { segment } = span;
    const handle = segment.handle;
    if (handle === undefined) throw noSegment(segment);
    this.#sealRecords(span);
    const writing = handle.writeAt(span.fileOffset, this.#bytesOf(span));
    // While the pool copies the bytes to the page cache.
    this.#addChecksum(span);
    try {
      await writing;
    } catch (error) {
      this.#rollBack(segment);
      throw error;
    }
    // An exit hook may have written everything meanwhile.
    if (this.#parts.ring.takeFirst() === span) this.#wrote(span);
  }

  #bytesOf(span: PendingSpan): Uint8Array {
    const bytes = span.oversize ? new Uint8Array(span.memory.buffer) : this.#ringBytes;
    return bytes.subarray(span.start, span.start + span.length);
  }

  #sealRecords(span: PendingSpan): void {
    // An exit hook writes a span again whose asynchronous write may never end.
    if (!span.isInChecksum) sealRecords(span.memory, span.start, span.length, span.segment);
  }

  #addChecksum(span: PendingSpan): void {
    if (span.isInChecksum) return;
    span.isInChecksum = true;
    const { engine } = span.memory;
    engine.setSlot(0, span.segment.checksum);
    engine.updateSlot(0, span.start, span.length);
    span.segment.checksum = engine.slot(0);
  }

  #wrote(span: PendingSpan): void {
    const { segment } = span;
    segment.writtenEnd = span.fileOffset + span.length;
    this.#unsyncedBytes += span.length;
    this.#unsyncedRecords += span.lastId - this.written.value;
    const { lastId } = span;
    this.#parts.ring.release();
    this.written.raise(lastId);
    this.#releaseRoom();
    this.#parts.onWritten(segment);
  }

  /** The run of zeroes in front of the next records grows while a sync is about to pay for the metadata anyway. */
  #zeroAhead(segment: ActiveSegment, end: number, committed: number): void {
    if (committed > zeroAheadMaxCommit || this.#zeroAheadFailed) return;
    const from = Math.max(segment.zeroedEnd, end);
    const to = Math.min(this.#settings.segmentSizeBytes, end + zeroAheadBytes);
    if (to <= from) return;
    try {
      segment.handle?.preallocateSync(from, to - from);
      segment.zeroedEnd = to;
    } catch {
      // No room for zeroes is no harm to records: give the room back and go without. Should the disk be broken rather
      // than full, this or the sync that follows fails.
      segment.handle?.setSizeSync(end);
      this.#zeroAheadFailed = true;
    }
  }

  /** A failed write may have left a part of a batch: cut it off, as far as the disk still lets us. */
  #rollBack(segment: ActiveSegment): void {
    try {
      segment.handle?.setSizeSync(segment.writtenEnd);
    } catch {
      // The failure that led here is the one to report; recovery cuts what this could not.
    }
  }

  #syncBlocking(): void {
    const segment = this.#current;
    if (segment.durableEnd < segment.writtenEnd) {
      if (segment.handle === undefined) throw noSegment(segment);
      const end = segment.writtenEnd;
      const id = this.written.value;
      segment.handle.syncSync(dataOnly);
      this.#acknowledge(segment, end, id);
    }
  }

  /** Starts a sync when somebody wants one and none is in flight. */
  #maybeSync(): void {
    if (this.#syncing !== undefined || this.#failure !== undefined || this.#settings.blocking) return;
    const bound = this.#settings.maxUnsyncedBytes;
    const isWanted = this.#target > 0 && this.written.value >= this.#wanted;
    if (!isWanted && (bound === undefined || this.#unsyncedBytes < bound)) return;
    const segment = this.#current;
    if (segment.durableEnd >= segment.writtenEnd || segment.handle === undefined) return;
    this.#syncing = this.#sync(segment, isWanted ? this.#trigger : "backpressure", () => {
      this.#syncing = undefined;
      this.#releaseRoom();
      this.#continue();
    });
  }

  /**
   * Never rejects.
   * @param onEnd runs before those who waited for the sync do: the next one starts before they append again
   */
  async #sync(segment: ActiveSegment, trigger: FlushTrigger, onEnd?: () => void): Promise<void> {
    const end = segment.writtenEnd;
    const id = this.written.value;
    const token = this.#begin(trigger);
    const { startedUs } = token;
    const records = token.records;
    try {
      await segment.handle?.sync(dataOnly);
      if (this.#failure !== undefined) throw this.#failure;
      this.#acknowledge(segment, end, id);
    } catch (error) {
      this.#parts.controller.fail(token, error);
      this.#fail(error);
      onEnd?.();
      return;
    }
    this.#parts.controller.succeed(token);
    this.#pacing.synced(records, this.#parts.clock.monotonicUs() - startedUs);
    onEnd?.();
  }

  #begin(trigger: FlushTrigger): FlushToken {
    const token = this.#parts.controller.begin(trigger, this.#unsyncedRecords, this.#unsyncedBytes);
    this.#unsyncedRecords = 0;
    this.#unsyncedBytes = 0;
    return token;
  }

  /** Bytes up to `end` were synced; whoever waits for ids up to `id` may know, if this log is still ours. */
  #acknowledge(segment: ActiveSegment, end: number, id: number): void {
    if (!this.#parts.manifest.isStillOurs()) throw this.#parts.manifest.fenced();
    // A blocking commit may have been faster.
    segment.durableEnd = Math.max(segment.durableEnd, end);
    this.durable.raise(id);
    this.#settleTarget();
  }

  #settleTarget(): void {
    if (this.#target <= this.durable.value) {
      this.#target = 0;
      this.#wanted = 0;
    } else {
      this.#wanted = this.durable.value + 1;
    }
  }

  async #switchSegment(next: ActiveSegment): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    this.#throwIfFailed();
    const segment = this.#current;
    if (segment.durableEnd < segment.writtenEnd) await this.#sync(segment, "rotation");
    this.#throwIfFailed();
    this.#activate(next);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #switchSegmentBlocking(next: ActiveSegment): void {
    this.#syncBlocking();
    this.#activate(next);
  }

  #activate(next: ActiveSegment): void {
    const old = this.#current;
    this.#parts.activator.activate(next, tailOfActive(old), this.#parts.manifest.current.epoch, old.lastId);
    this.#current = next;
    this.#parts.onRetired(old, next);
  }

  #releaseRoom(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.resolve();
  }

  #fail(error: unknown): AofError {
    if (this.#failure !== undefined) return this.#failure;
    const failure = toAofError(error, `writing ${this.#current.name}`, {
      path: this.#current.name,
      segmentId: this.#current.baseId,
    });
    this.#failure = failure;
    this.#parts.ring.clear();
    this.written.fail(failure);
    this.durable.fail(failure);
    const room = this.#room;
    this.#room = undefined;
    room?.reject(failure);
    this.#parts.onFailure(failure);
    return failure;
  }
}

const dataOnly = { dataOnly: true } as const;

/** A retired or closing active segment as its successor and MANIFEST describe it; undefined when it is empty. */
function tailOfActive(segment: ActiveSegment): SegmentTail | undefined {
  return segment.count === 0 ? undefined : { baseId: segment.baseId, length: segment.end, checksum: segment.checksum };
}

function noSegment(segment: ActiveSegment): AofError {
  return new AofError("NO_CURRENT_SEGMENT", `${segment.name} was never begun`, {
    path: segment.name,
    segmentId: segment.baseId,
  });
}

/** A rejected promise that nobody has to await. */
function ownedRejection(error: Error): Promise<void> {
  const promise = Promise.reject<void>(error);
  promise.catch(() => {});
  return promise;
}
