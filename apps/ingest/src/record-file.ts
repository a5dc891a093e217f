/**
 * The records of a run, one a line, in a file of the run's directory: what was sent, for writers to append and for every
 * check to compare with. Both sides stream: neither ever holds the file.
 */
import type { FileHandle, FileSystem } from "@varve/fs-core";
import { LineSplitter } from "./line-splitter.ts";

const blockBytes = 256 * 1024;
const newline = Uint8Array.of(0x0a);

/** Writes records one after the other. A record has no newline in it. */
export class RecordFileWriter implements AsyncDisposable {
  readonly #handle: FileHandle;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #writtenBytes = 0;

  static async create(files: FileSystem, path: string): Promise<RecordFileWriter> {
    return new RecordFileWriter(await files.createFile(path));
  }

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Keeps a reference to `record` until {@link flush}. Returns true when it is time to flush. */
  add(record: Uint8Array): boolean {
    this.#parts.push(record, newline);
    this.#partBytes += record.length + 1;
    return this.#partBytes >= blockBytes;
  }

  async flush(): Promise<void> {
    const block = Buffer.concat(this.#parts, this.#partBytes);
    this.#parts = [];
    this.#partBytes = 0;
    await this.#handle.writeAt(this.#writtenBytes, block);
    this.#writtenBytes += block.length;
  }

  /** Does not flush. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Reads them in order. */
export class RecordFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #splitter = new LineSplitter(Number.POSITIVE_INFINITY);
  #position = 0;
  #isAtEnd = false;
  #lines: Uint8Array[] = [];
  #nextLine = 0;

  /** @param firstId the record to begin with, counted from 1; beyond the last one there is nothing to take */
  static async open(files: FileSystem, path: string, firstId: number): Promise<RecordFile> {
    const file = new RecordFile(await files.openFile(path));
    try {
      for (let left = firstId - 1; left > 0; ) {
        const skipped = await file.take(left);
        if (skipped.length === 0) break;
        left -= skipped.length;
      }
      return file;
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * The next records: at most `count`, and not more than `maxBytes` together, but at least one; fewer than that only at
   * the end of the file or of what was read ahead; none only at the end of the file. Each is yours, and a view of the
   * 256 KiB block it was read in: holding one holds the block.
   */
  async take(count: number, maxBytes: number = Number.POSITIVE_INFINITY): Promise<Uint8Array[]> {
    while (this.#nextLine === this.#lines.length && !this.#isAtEnd) await this.#readBlock();
    const first = this.#nextLine;
    let bytes = 0;
    while (this.#nextLine < this.#lines.length && this.#nextLine - first < count) {
      bytes += (this.#lines[this.#nextLine] as Uint8Array).length;
      if (bytes > maxBytes && this.#nextLine > first) break;
      this.#nextLine++;
    }
    return this.#lines.slice(first, this.#nextLine);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #readBlock(): Promise<void> {
    // A block of its own each time: the lines are views of it.
    const block = new Uint8Array(blockBytes);
    const length = await this.#handle.readAt(this.#position, block);
    this.#position += length;
    this.#isAtEnd = length < blockBytes;
    this.#lines = [...this.#splitter.push(block.subarray(0, length))];
    if (this.#isAtEnd) this.#lines.push(...this.#splitter.end());
    this.#nextLine = 0;
  }
}
