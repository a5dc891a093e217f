/** Bytes that grow on demand; what was never written reads as zero. */
export class MemoryBytes {
  #buffer: Uint8Array = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns how many bytes were there to copy */
  readAt(position: number, buffer: Uint8Array): number {
    const count = Math.max(0, Math.min(buffer.byteLength, this.#size - position));
    if (count > 0) buffer.set(this.#buffer.subarray(position, position + count));
    return count;
  }

  /** @throws RangeError when memory cannot hold it */
  writeAt(position: number, data: Uint8Array): void {
    if (data.byteLength === 0) return;
    const end = position + data.byteLength;
    if (end > this.#size) this.setSize(end);
    this.#buffer.set(data, position);
  }

  /** @throws RangeError when memory cannot hold it */
  setSize(size: number): void {
    if (size > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.max(size, Math.min(2 * this.#buffer.byteLength, 2 ** 31)));
      grown.set(this.#buffer.subarray(0, this.#size));
      this.#buffer = grown;
    } else if (size < this.#size) {
      this.#buffer.fill(0, size, this.#size);
    }
    this.#size = size;
  }

  /** An independent copy. */
  clone(): MemoryBytes {
    const copy = new MemoryBytes();
    copy.writeAt(0, this.#buffer.subarray(0, this.#size));
    return copy;
  }
}

/** A file without its names. */
export class MemoryFile {
  readonly kind = "file";
  readonly ino: number;
  readonly bytes: MemoryBytes;
  mtimeMs: number;
  /** How many directory entries refer to it. */
  links = 0;

  constructor(ino: number, mtimeMs: number, bytes: MemoryBytes = new MemoryBytes()) {
    this.ino = ino;
    this.mtimeMs = mtimeMs;
    this.bytes = bytes;
  }
}

/** A directory without its name. */
export class MemoryDirectory {
  readonly kind = "directory";
  readonly ino: number;
  readonly entries: Map<string, MemoryNode> = new Map();
  mtimeMs: number;

  constructor(ino: number, mtimeMs: number) {
    this.ino = ino;
    this.mtimeMs = mtimeMs;
  }
}

/** Counts the names of `node`, and of all files below it when it is a directory that comes or goes. */
export function countLinks(node: MemoryNode, change: 1 | -1): void {
  if (node.kind === "file") node.links += change;
  else for (const child of node.entries.values()) countLinks(child, change);
}

export type MemoryNode = MemoryFile | MemoryDirectory;
