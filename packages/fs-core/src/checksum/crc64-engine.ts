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
