import { checkFrames, checkRange, checkSlot, type Crc64Engine, cutFrame, slotCount } from "./crc64-engine.ts";
import { joinHalves, shiftBytes, splitHalves } from "./crc64-polynomial.ts";
import { Crc64Register } from "./crc64-register.ts";

/** Bytes of the buffer's head that {@link TypeScriptCrc64Engine} keeps its slots in. */
export const typeScriptScratchBytes: number = slotCount * 8;

/** The engine for platforms without WebAssembly, and the second opinion on the other one. */
export class TypeScriptCrc64Engine implements Crc64Engine {
  readonly kind = "typescript";
  readonly #view: DataView;
  readonly #slots: Int32Array;
  readonly #register = new Crc64Register();
  // A register of its own, so that slots leave lastLow and lastHigh alone.
  readonly #slotRegister = new Crc64Register();

  /** Slots take the buffer's first {@link typeScriptScratchBytes}. */
  constructor(buffer: ArrayBuffer) {
    this.#view = new DataView(buffer);
    this.#slots = new Int32Array(buffer, 0, slotCount * 2);
  }

  foldedAt(offset: number, length: number, seedLow: number, seedHigh: number): number {
    checkRange(offset, length, this.#view.byteLength);
    const register = this.#register;
    register.low = seedLow | 0;
    register.high = seedHigh | 0;
    register.update(this.#view, offset, offset + length);
    return (register.low ^ register.high) >>> 0;
  }

  sealFrames(offset: number, length: number, headerBytes: number, seedLow: number, seedHigh: number): void {
    checkFrames(offset, length, headerBytes, this.#view.byteLength);
    const end = offset + length;
    let at = offset;
    for (let next = this.#frameEnd(at, end, headerBytes); next !== -1; next = this.#frameEnd(at, end, headerBytes)) {
      this.#view.setUint32(at, this.#frameChecksum(at, headerBytes, seedLow, seedHigh), true);
      at = next;
    }
    if (at !== end) throw cutFrame(offset, length);
  }

  soundFrames(offset: number, length: number, headerBytes: number, seedLow: number, seedHigh: number): number {
    checkFrames(offset, length, headerBytes, this.#view.byteLength);
    const end = offset + length;
    let at = offset;
    for (let next = this.#frameEnd(at, end, headerBytes); next !== -1; next = this.#frameEnd(at, end, headerBytes)) {
      if (this.#view.getUint32(at, true) !== this.#frameChecksum(at, headerBytes, seedLow, seedHigh)) break;
      at = next;
    }
    return at - offset;
  }

  get lastLow(): number {
    return this.#register.low;
  }

  get lastHigh(): number {
    return this.#register.high;
  }

  updateSlot(slot: number, offset: number, length: number): void {
    checkSlot(slot);
    checkRange(offset, length, this.#view.byteLength);
    const register = this.#load(slot);
    register.update(this.#view, offset, offset + length);
    this.#store(slot, register.low, register.high);
  }

  appendSlot(slot: number, crcLow: number, crcHigh: number, length: number): void {
    checkSlot(slot);
    checkRange(0, length, 2 ** 32);
    const register = this.#load(slot);
    shiftBytes(register, length);
    this.#store(slot, register.low ^ crcLow, register.high ^ crcHigh);
  }

  setSlot(slot: number, seed: bigint): void {
    checkSlot(slot);
    const { low, high } = splitHalves(seed, { low: 0, high: 0 });
    this.#store(slot, low, high);
  }

  slot(slot: number): bigint {
    checkSlot(slot);
    const { low, high } = this.#load(slot);
    return joinHalves(low, high);
  }

  /** Where the frame at `at` ends, -1 when the range ends first. */
  #frameEnd(at: number, end: number, headerBytes: number): number {
    if (end - at < headerBytes) return -1;
    const next = at + Math.ceil((headerBytes + this.#view.getUint32(at + 4, true)) / 8) * 8;
    return next > end ? -1 : next;
  }

  #frameChecksum(at: number, headerBytes: number, seedLow: number, seedHigh: number): number {
    const register = this.#slotRegister;
    register.low = seedLow | 0;
    register.high = seedHigh | 0;
    register.update(this.#view, at + 4, at + headerBytes + this.#view.getUint32(at + 4, true));
    return (register.low ^ register.high) >>> 0;
  }

  #load(slot: number): Crc64Register {
    const register = this.#slotRegister;
    register.low = this.#slots[2 * slot] as number;
    register.high = this.#slots[2 * slot + 1] as number;
    return register;
  }

  #store(slot: number, low: number, high: number): void {
    this.#slots[2 * slot] = low;
    this.#slots[2 * slot + 1] = high;
  }
}
