/**
 * One record's content as one zstd frame with its content checksum, behind the size of what comes out. Pure.
 *
 * Decompression trusts nothing: the output is bounded by the stored size, the stored size by {@link maxCompressedRaw},
 * and the frame's window by the stored size, so that no frame can make a reader allocate more than it will yield.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { viewOf } from "../format/bytes.ts";
import { BodyProblem } from "./body-problem.ts";

/** How records are compressed. */
export interface Compression {
  /** zstd level, 1..19. */
  readonly level: number;
  /** Shorter content is stored as it is. Bytes. */
  readonly minBytes: number;
}

/** Content larger than this is stored as it is, so that a reader knows what a frame can cost it. Bytes. */
const maxCompressedRaw: number = 64 * 1024 * 1024;
/** The u32 in front of the frame. */
const sizeBytes = 4;
/** zstd refuses smaller windows. */
const minWindowLog = 10;
/** Node refuses smaller ones. */
const minChunkBytes = 64;
const maxChunkBytes = 1024 * 1024;

/** `content` compressed, undefined when it would not become smaller. @throws BodyProblem `COMPRESSION` */
export function compress(content: Uint8Array, { level, minBytes }: Compression): Uint8Array | undefined {
  if (content.length < minBytes || content.length > maxCompressedRaw || content.length <= sizeBytes) return undefined;
  let frame: Uint8Array;
  try {
    frame = zstdCompressSync(content, {
      params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
      // Known sizes make smaller frames, and windows no larger than the content.
      pledgedSrcSize: content.length,
    });
  } catch (error) {
    throw new BodyProblem("COMPRESSION", "could not be compressed", { cause: error });
  }
  if (sizeBytes + frame.length >= content.length) return undefined;
  const body = new Uint8Array(sizeBytes + frame.length);
  viewOf(body).setUint32(0, content.length, true);
  body.set(frame, sizeBytes);
  return body;
}

/** @throws BodyProblem `CORRUPTED_RECORD` */
export function decompress(body: Uint8Array): Uint8Array {
  if (body.length <= sizeBytes) throw damaged("it is too short to be compressed");
  const size = viewOf(body).getUint32(0, true);
  if (size === 0 || size > maxCompressedRaw) throw damaged("its uncompressed size is out of range");
  const frame = body.subarray(sizeBytes);
  let output: Uint8Array;
  let consumed: number;
  try {
    // `info` is what tells how much was read: the decoder stops behind the first frame and ignores the rest.
    const result = zstdDecompressSync(frame, {
      maxOutputLength: size,
      // One piece of just the right length for most records; large ones in steps, so that a lie costs one step.
      chunkSize: Math.max(minChunkBytes, Math.min(size + 1, maxChunkBytes)),
      params: { [constants.ZSTD_d_windowLogMax]: Math.max(minWindowLog, 32 - Math.clz32(size - 1)) },
      info: true,
    }) as unknown as { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } };
    output = result.buffer;
    consumed = result.engine.bytesWritten;
  } catch (error) {
    throw damaged("its compressed content cannot be decompressed", error);
  }
  if (output.length !== size) throw damaged("it decompresses to another size than it says");
  if (consumed !== frame.length) throw damaged("something follows its compressed content");
  return output;
}

function damaged(reason: string, cause?: unknown): BodyProblem {
  return new BodyProblem("CORRUPTED_RECORD", `is damaged: ${reason}`, cause === undefined ? undefined : { cause });
}
