/**
 * Begins segments, and prepares the next one ahead of time.
 *
 * The order that makes a segment exist, each step durable before the next:
 *  1. everything in the segment before it (the caller's duty)
 *  2. its header, in a file with a temporary name
 *  3. its name, by rename and directory sync
 *  4. MANIFEST names it
 * Only then is a record written to it. All synchronous: about 1 ms, once per segment, and `append` under the `sync`
 * strategy may have to do it before it can return.
 */
import { type FileHandle, temporaryName } from "@varve/fs-core";
import type { ActiveSegment } from "./active-segment.ts";
import { AofError, isAofError } from "./errors.ts";
import type { SegmentTail } from "./format/manifest-codec.ts";
import { encodeSegmentHeader, segmentHeaderBytes } from "./format/segment-header.ts";
import type { LogDirectory } from "./log-directory.ts";
import type { ManifestFile } from "./manifest-file.ts";

interface PreparedFile {
  readonly name: string;
  readonly handle: FileHandle;
  zeroedEnd: number;
}

/** Zeroes written per step: small enough that a step never holds up the disk for long. */
const prepareStepBytes = 1024 * 1024;

export class SegmentActivator {
  readonly #directory: LogDirectory;
  readonly #manifest: ManifestFile;
  readonly #segmentSizeBytes: number;
  #prepared: PreparedFile | undefined;
  #preparing: Promise<void> | undefined;
  #closing = false;

  constructor(directory: LogDirectory, manifest: ManifestFile, segmentSizeBytes: number) {
    this.#directory = directory;
    this.#manifest = manifest;
    this.#segmentSizeBytes = segmentSizeBytes;
  }

  /** Whether the last `activate` found a file ready. */
  foundPrepared = false;

  /**
   * Makes `segment` the one that MANIFEST calls active. On return its handle is set and it may be written.
   * @param promisedId every id up to here is durable
   * @throws AofError `APPEND_TO_NEW_SEGMENT_FAILED`, with the cause
   */
  activate(segment: ActiveSegment, tail: SegmentTail | undefined, epoch: number, promisedId: number): void {
    let file: PreparedFile | undefined;
    try {
      file = this.#takePrepared();
      this.foundPrepared = file !== undefined;
      file ??= this.#create();
      const header = encodeSegmentHeader({
        baseId: segment.baseId,
        epoch,
        createdAtUs: segment.createdAtUs,
        salt: segment.salt,
        previousLength: tail?.length ?? 0,
        previousChecksum: tail?.checksum ?? 0n,
        salvaged: false,
      });
      file.handle.writeAtSync(0, header);
      file.handle.syncSync();
      // The rename would replace a newer writer's segment of the same name: look once more right before it.
      if (!this.#manifest.isStillOurs()) throw this.#manifest.fenced();
      this.#directory.renameSync(file.name, segment.name);
      this.#directory.syncSync();
      this.#manifest.replaceSync({
        epoch,
        active: { baseId: segment.baseId, salt: segment.salt },
        tail,
        promisedId,
        closedCleanly: false,
      });
      segment.zeroedEnd = Math.max(file.zeroedEnd, segmentHeaderBytes);
      // Opened again under its own name, so that a failure names the segment and not the temporary file.
      const handle = this.#directory.openMutSync(segment.name);
      file.handle.closeSync();
      segment.begin(handle, header);
    } catch (error) {
      try {
        file?.handle.closeSync();
      } catch {
        // The first failure is the one to report.
      }
      if (isAofError(error)) throw error;
      throw new AofError("APPEND_TO_NEW_SEGMENT_FAILED", `beginning ${segment.name} failed: ${messageOf(error)}`, {
        path: segment.name,
        segmentId: segment.baseId,
        cause: error,
      });
    }
  }

  /** Creates and zero-fills the next file. Single flight; the caller owns the promise's failure. */
  prepare(zeroFill: boolean): Promise<void> {
    this.#preparing ??= this.#prepare(zeroFill).finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  /** Waits for a preparation under way and removes what was not used. */
  async close(): Promise<void> {
    this.#closing = true;
    try {
      await this.#preparing;
    } catch {
      // Its owner has it.
    }
    const file = this.#takePrepared();
    if (file === undefined) return;
    await file.handle.close();
    await this.#directory.delete(file.name);
  }

  async #prepare(zeroFill: boolean): Promise<void> {
    if (this.#prepared !== undefined || this.#closing) return;
    const name = temporaryName("segment", this.#directory.random.u64());
    const handle = await this.#directory.create(name);
    let zeroedEnd = 0;
    try {
      const goal = zeroFill ? this.#segmentSizeBytes : 0;
      while (zeroedEnd < goal && !this.#closing) {
        const step = Math.min(prepareStepBytes, goal - zeroedEnd);
        await handle.preallocate(zeroedEnd, step);
        zeroedEnd += step;
      }
      await handle.sync();
    } catch (error) {
      await handle.close();
      await this.#directory.delete(name);
      throw error;
    }
    this.#prepared = { name, handle, zeroedEnd };
  }

  #takePrepared(): PreparedFile | undefined {
    const file = this.#prepared;
    this.#prepared = undefined;
    return file;
  }

  #create(): PreparedFile {
    const name = temporaryName("segment", this.#directory.random.u64());
    return { name, handle: this.#directory.createSync(name), zeroedEnd: 0 };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
