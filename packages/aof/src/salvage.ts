/**
 * The explicit repair: makes a damaged log whole again by giving up what cannot be read. Ids stay what they were; each
 * lost record leaves a mark (an empty record with the flag *lost*), so that no id is ever used twice.
 *
 * Nothing is destroyed: every segment that is rewritten stays beside the log as a `.broken-…` file, by a second name
 * that is made, and synced, before the new file takes the first one. Each step may be the last before a crash; another
 * salvage then goes on.
 */
import type { FileHandle } from "@varve/fs-core";
import { temporaryName } from "@varve/fs-core";
import { isAofError, toAofError } from "./errors.ts";
import type { Manifest, SegmentTail } from "./format/manifest-codec.ts";
import { readKeys } from "./keys/keys-file.ts";
import type { LogDirectory } from "./log-directory.ts";
import { listLog } from "./log-listing.ts";
import { ManifestFile, readManifest } from "./manifest-file.ts";
import type { LostRange } from "./recovery-report.ts";
import { readSalvageable, type SalvageableSegment } from "./salvage-scan.ts";
import { SalvageWriter } from "./salvage-writer.ts";
import { brokenName, segmentName } from "./segment-name.ts";
import { splitTrimmed } from "./trimmed-segments.ts";

/** @returns what was given up, in order. @throws AofError `IO`, `NO_SPACE`, `FORMAT_TOO_NEW` */
export async function salvageLog(directory: LogDirectory, indexPath: string): Promise<LostRange[]> {
  try {
    return await new Salvage(directory, indexPath).run();
  } catch (error) {
    throw toAofError(error, "salvaging the log");
  }
}

class Salvage {
  readonly #directory: LogDirectory;
  readonly #indexPath: string;
  readonly #lost: LostRange[] = [];
  #epoch = 1;

  constructor(directory: LogDirectory, indexPath: string) {
    this.#directory = directory;
    this.#indexPath = indexPath;
  }

  async run(): Promise<LostRange[]> {
    const manifest = await this.#manifest();
    const listing = await listLog(this.#directory, this.#indexPath);
    // What a trim left behind stays trimmed: the next open removes it.
    const segments = manifest === undefined ? listing.segments : splitTrimmed(listing.segments, manifest).live;
    this.#epoch = (manifest?.epoch ?? 0) + 1;
    const oldest = segments[0] ?? manifest?.firstId ?? 1;
    const firstId = Math.max(oldest, manifest?.firstId ?? 1);
    if (manifest !== undefined && firstId > manifest.firstId) {
      this.#lose(manifest.firstId, firstId - 1, "their segments are missing");
    }
    let tail: SegmentTail | undefined;
    let nextId = oldest;
    const active = manifest?.active === undefined ? undefined : { ...manifest.active, epoch: manifest.epoch };
    for (const [index, baseId] of segments.entries()) {
      if (baseId > nextId) {
        tail = await this.#fillGap(nextId, baseId - 1, tail, "their segments are missing");
      }
      const found = await readSalvageable(this.#directory, baseId, active, segments[index + 1]);
      const lastId = this.#lastIdOf(found, manifest, segments[index + 1]);
      if (found.isWhole && found.lastId === lastId)
        tail = { baseId, length: found.dataLength, checksum: found.checksum };
      else if (lastId >= baseId) tail = await this.#rewrite(found, lastId, tail);
      else await this.#setAside(baseId);
      nextId = Math.max(nextId, lastId + 1);
    }
    if (manifest !== undefined && manifest.promisedId >= nextId) {
      tail = await this.#fillGap(nextId, manifest.promisedId, tail, "they were durable, but no file has them");
      nextId = manifest.promisedId + 1;
    }
    await this.#writeManifest(manifest, firstId, nextId - 1, tail);
    return this.#lost;
  }

  /** undefined when it is missing or damaged: the segments then speak for themselves. */
  async #manifest(): Promise<Manifest | undefined> {
    try {
      return await readManifest(this.#directory);
    } catch (error) {
      if (isAofError(error) && error.code === "CORRUPTED_MANIFEST") return undefined;
      throw error;
    }
  }

  /** Up to which id this segment has to account for: the next one's begin, or what was promised. */
  #lastIdOf(found: SalvageableSegment, manifest: Manifest | undefined, successor: number | undefined): number {
    if (successor !== undefined) return successor - 1;
    const promised = manifest?.promisedId ?? 0;
    return Math.max(found.lastId, promised >= found.baseId ? promised : 0);
  }

  async #rewrite(found: SalvageableSegment, lastId: number, previous: SegmentTail | undefined): Promise<SegmentTail> {
    const name = temporaryName("salvage", this.#directory.random.u64());
    const target = await this.#directory.create(name);
    let source: FileHandle | undefined;
    try {
      source = found.runs.length > 0 ? await this.#directory.open(segmentName(found.baseId)) : undefined;
      const writer = new SalvageWriter(target, found, previous);
      for (const run of found.runs) {
        await this.#mark(writer, run.firstId - 1, found.reason);
        await writer.copy(source as FileHandle, run);
      }
      await this.#mark(writer, lastId, found.reason);
      const sealed = await writer.finish();
      await this.#setAside(found.baseId);
      await this.#directory.rename(name, segmentName(found.baseId));
      await this.#directory.sync();
      return { baseId: sealed.baseId, length: sealed.dataLength, checksum: sealed.checksum };
    } finally {
      await source?.close();
      await target.close();
    }
  }

  async #fillGap(
    firstId: number,
    lastId: number,
    previous: SegmentTail | undefined,
    reason: string,
  ): Promise<SegmentTail> {
    const salt = this.#directory.random.u64();
    const createdAtUs = this.#directory.clock.wallUs();
    const nothing = {
      baseId: firstId,
      lastId: firstId - 1,
      isWhole: false,
      dataLength: 64,
      checksum: 0n,
      salt,
      epoch: this.#epoch,
      createdAtUs,
      runs: [],
      reason,
    };
    return this.#rewrite(nothing, lastId, previous);
  }

  async #mark(writer: SalvageWriter, lastId: number, reason: string): Promise<void> {
    if (lastId < writer.nextId) return;
    this.#lose(writer.nextId, lastId, reason);
    await writer.markLost(lastId);
  }

  /** A second name for the damaged file, so that the first may be taken. */
  async #setAside(baseId: number): Promise<void> {
    const { fileSystem } = this.#directory;
    const path = this.#directory.at(segmentName(baseId));
    if (!(await fileSystem.fileExists(path))) return;
    for (let attempt = 0; ; attempt++) {
      const kept = this.#directory.at(brokenName(baseId, this.#epoch, 0, attempt));
      if (await fileSystem.fileExists(kept)) continue;
      if (fileSystem.supports.hardLinks) await fileSystem.linkNoReplace(path, kept);
      else await fileSystem.rename(path, kept);
      await this.#directory.sync();
      return;
    }
  }

  #lose(firstId: number, lastId: number, reason: string): void {
    this.#lost.push({ firstId, lastId, reason });
  }

  async #writeManifest(
    manifest: Manifest | undefined,
    firstId: number,
    lastId: number,
    tail: SegmentTail | undefined,
  ): Promise<void> {
    // Keys are bound to the log's id: without MANIFEST, KEYS has it.
    const keys = manifest === undefined ? await readKeys(this.#directory) : undefined;
    const id = this.#directory.random.fill(new Uint8Array(16));
    const file = new ManifestFile(this.#directory, {
      epoch: this.#epoch,
      logId: manifest?.logId ?? keys?.logId ?? Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      firstId,
      closedCleanly: false,
      hasKeys: manifest?.hasKeys ?? keys !== undefined,
      hasCursors: manifest?.hasCursors ?? false,
      active: undefined,
      promisedId: lastId,
      tail,
      updatedAtUs: 0,
    });
    file.replaceSync({});
    file.closeSync();
  }
}
