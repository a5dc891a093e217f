/** What the tests of encrypted logs share: key rings with known keys, and a segment's bytes with their checksums made anew. */
import { crc64Nvme, type FileSystem, foldTo32 } from "@varve/fs-core";
import { type KeyProvider, localKeyRing } from "../../src/index.ts";

/** Text that is in every key: a test that finds it in some output has found a leak. */
export const canary = "CANARYcanaryCANARY";

/** 32 bytes that only `name` can have. */
export function testKey(name: string): Uint8Array {
  return Buffer.from(`${canary}${name}`.padEnd(32, "#").slice(0, 32));
}

/** A ring of the keys `ids`, the last of which is the current one. */
export function ringOf(...ids: string[]): KeyProvider {
  return localKeyRing({ keys: Object.fromEntries(ids.map((id) => [id, testKey(id)])), current: ids.at(-1) as string });
}

export async function bytesOf(fs: FileSystem, path: string): Promise<Uint8Array> {
  const handle = await fs.openFile(path);
  try {
    return (await handle.readAll()).slice();
  } finally {
    await handle.close();
  }
}

export async function overwrite(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const handle = await fs.openFileMut(path);
  await handle.setSize(0);
  await handle.writeAt(0, bytes);
  await handle.close();
}

/** Where a record lies in a segment. */
export interface RecordPlace {
  readonly offset: number;
  readonly size: number;
}

/** The records of a segment, by their sizes. */
export function recordsOf(segment: Uint8Array, count: number): RecordPlace[] {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const places: RecordPlace[] = [];
  for (let offset = 64; places.length < count; ) {
    const size = view.getUint32(offset + 4, true);
    places.push({ offset, size });
    offset += 32 + size + (-size & 7);
  }
  return places;
}

/** Makes the checksum of a changed record right: what somebody would do who has the disk but no key. */
export function forgeChecksum(segment: Uint8Array, { offset, size }: RecordPlace): void {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const covered = segment.subarray(offset + 4, offset + 32 + size);
  view.setUint32(offset, foldTo32(crc64Nvme(covered, view.getBigUint64(32, true))), true);
}
