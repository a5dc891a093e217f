/** Computes CRC-64/NVME over one fixed memory without copying bytes out of it. */
export interface Crc64Engine {
  readonly kind: "wasm" | "typescript";
  /**
   * The checksum of `buffer[offset, offset + length)`, continuing from a 64-bit seed given as two int32 halves (0, 0
   * for none), folded to 32 bits by XOR of its halves. No allocation and no bigint: meant for one call a record.
   * The unfolded result stays readable in {@link lastLow} and {@link lastHigh} until the next call.
   * @returns an unsigned 32-bit integer
   * @throws RangeError when the range is not inside the memory
   */
  foldedAt(offset: number, length: number, seedLow: number, seedHigh: number): number;
  /** Low half, int32, of what {@link foldedAt} computed last. */
  readonly lastLow: number;
  /** High half, int32, of what {@link foldedAt} computed last. */
  readonly lastHigh: number;
  /**
   * Frames stand one behind the other in `buffer[offset, offset + length)`: u32 checksum, u32 size, the rest of a header
   * of `headerBytes`, `size` bytes of body, padding to a multiple of 8. Writes each frame's checksum: {@link foldedAt} of
   * everything behind it, without the padding. One call for many frames costs less than a call for each.
   * @param offset multiple of 8
   * @throws RangeError when the range does not end with a frame (the frames before are then sealed)
   */
  sealFrames(offset: number, length: number, headerBytes: number, seedLow: number, seedHigh: number): void;
  /**
   * How many bytes from `offset` on are frames with the checksum that {@link sealFrames} writes: up to the first that is
   * damaged, or cut off by the range's end.
   */
  soundFrames(offset: number, length: number, headerBytes: number, seedLow: number, seedHigh: number): number;
  /**
   * Eight running 64-bit checksums, slots 0..7, live in the memory's own area. This one continues `slot` over
   * `buffer[offset, offset + length)`.
   * @throws RangeError when the slot or the range does not exist
   */
  updateSlot(slot: number, offset: number, length: number): void;
  /**
   * Continues `slot` over `length` bytes whose own checksum is already known as two int32 halves, without reading
   * them: the cost depends on `length` only through the number of its bytes that are not zero.
   * @param length 0..2^32-1
   */
  appendSlot(slot: number, crcLow: number, crcHigh: number, length: number): void;
  /** @param seed the checksum of what came before; 0n to start afresh */
  setSlot(slot: number, seed: bigint): void;
  slot(slot: number): bigint;
}

/** Slots of every engine. */
export const slotCount = 8;

/** @throws RangeError unless `slot` is one of the eight */
export function checkSlot(slot: number): void {
  if (!(Number.isInteger(slot) && slot >= 0 && slot < slotCount)) {
    throw new RangeError(`slot: got ${slot}, want an integer in 0..${slotCount - 1}`);
  }
}

/** @throws RangeError unless `[offset, offset + length)` is a range of whole bytes inside `memoryBytes` */
export function checkRange(offset: number, length: number, memoryBytes: number): void {
  // One comparison chain for all of NaN, fractions, negatives and overflow: >>> 0 keeps exactly the valid values.
  if (offset >>> 0 !== offset || length >>> 0 !== length || offset + length > memoryBytes) {
    throw new RangeError(`range: got ${length} bytes at ${offset}, want whole bytes inside 0..${memoryBytes}`);
  }
}

/** @throws RangeError unless it is a range inside the memory, aligned, with a header of whole words */
export function checkFrames(offset: number, length: number, headerBytes: number, memoryBytes: number): void {
  checkRange(offset, length, memoryBytes);
  if (offset % 8 !== 0 || !(headerBytes >= 8 && headerBytes <= 4096 && headerBytes % 8 === 0)) {
    throw new RangeError(`frames: got headers of ${headerBytes} bytes at ${offset}, want multiples of 8`);
  }
}

export function cutFrame(offset: number, length: number): RangeError {
  return new RangeError(`frames: the ${length} bytes at ${offset} do not end with a whole frame`);
}
