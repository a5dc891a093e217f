import { StorageError } from "../errors.ts";
import { checkFrames, checkRange, checkSlot, type Crc64Engine, cutFrame, slotCount } from "./crc64-engine.ts";
import { joinHalves, splitHalves } from "./crc64-polynomial.ts";
import { base64, relocations, scratchBytes } from "./crc64-wasm-module.ts";
import { type WasmMemory, webAssembly } from "./web-assembly.ts";

/**
 * Bytes an engine takes of its memory: slicing tables 32 KiB, powers for `appendSlot` 8 KiB, the rest slots and the
 * windows in which long ranges are folded. A multiple of 4096.
 */
export const crc64ScratchBytes: number = Math.ceil(scratchBytes / 4096) * 4096;

/** The module addresses its scratch area by signed 32-bit constants. */
const greatestScratchOffset = 2 ** 31 - crc64ScratchBytes;

/** Ranges end before the last page, so that no 32-bit address inside the module wraps. */
const greatestMemoryBytes = 2 ** 32 - 65_536;

/** What the module exports; offsets are unsigned, results signed. */
interface Crc64Exports {
  initialise(): void;
  sealFrames(offset: number, end: number, headerBytes: number, seedLow: number, seedHigh: number): number;
  soundFrames(offset: number, end: number, headerBytes: number, seedLow: number, seedHigh: number): number;
  folded(offset: number, length: number, seedLow: number, seedHigh: number): number;
  updateSlot(slot: number, offset: number, length: number): void;
  appendSlot(slot: number, crcLow: number, crcHigh: number, length: number): void;
  /** 0..15: the slots, low half first; 16 and 17: the halves of what `folded` computed last. */
  word(index: number): number;
  setWord(index: number, value: number): void;
}

/**
 * The fast engine over a memory the caller made itself. The memory may grow later, but the engine keeps to the size
 * it has now; a memory of 4 GiB loses its last page.
 * @param memory not shared between threads
 * @param scratchOffset where {@link crc64ScratchBytes} bytes are the engine's alone; a multiple of 16, below 2 GiB
 * @throws RangeError when the scratch area does not fit
 * @throws StorageError `UNSUPPORTED` without WebAssembly or its vector instructions: let `createChecksumMemory` choose
 */
export function createCrc64Engine(memory: WasmMemory, scratchOffset: number): Crc64Engine {
  const memoryBytes = Math.min(memory.buffer.byteLength, greatestMemoryBytes);
  const fits = scratchOffset >= 0 && scratchOffset + crc64ScratchBytes <= memoryBytes;
  if (!fits || scratchOffset % 16 !== 0 || scratchOffset > greatestScratchOffset) {
    throw new RangeError(
      `scratchOffset: got ${scratchOffset} in ${memoryBytes} bytes, want a multiple of 16 below 2^31 with ${crc64ScratchBytes} bytes after it`,
    );
  }
  return new WasmCrc64Engine(instantiate(memory, scratchOffset), memoryBytes);
}

class WasmCrc64Engine implements Crc64Engine {
  readonly kind = "wasm";
  readonly #exports: Crc64Exports;
  readonly #memoryBytes: number;

  constructor(exports: Crc64Exports, memoryBytes: number) {
    this.#exports = exports;
    this.#memoryBytes = memoryBytes;
  }

  foldedAt(offset: number, length: number, seedLow: number, seedHigh: number): number {
    checkRange(offset, length, this.#memoryBytes);
    return this.#exports.folded(offset, length, seedLow, seedHigh) >>> 0;
  }

  sealFrames(offset: number, length: number, headerBytes: number, seedLow: number, seedHigh: number): void {
    checkFrames(offset, length, headerBytes, this.#memoryBytes);
    const end = offset + length;
    if (this.#exports.sealFrames(offset, end, headerBytes, seedLow, seedHigh) >>> 0 !== end)
      throw cutFrame(offset, length);
  }

  soundFrames(offset: number, length: number, headerBytes: number, seedLow: number, seedHigh: number): number {
    checkFrames(offset, length, headerBytes, this.#memoryBytes);
    return (this.#exports.soundFrames(offset, offset + length, headerBytes, seedLow, seedHigh) >>> 0) - offset;
  }

  // Read through the module, not through a view: views of a memory end when its owner grows it.
  get lastLow(): number {
    return this.#exports.word(2 * slotCount);
  }

  get lastHigh(): number {
    return this.#exports.word(2 * slotCount + 1);
  }

  updateSlot(slot: number, offset: number, length: number): void {
    checkSlot(slot);
    checkRange(offset, length, this.#memoryBytes);
    this.#exports.updateSlot(slot, offset, length);
  }

  appendSlot(slot: number, crcLow: number, crcHigh: number, length: number): void {
    checkSlot(slot);
    checkRange(0, length, 2 ** 32);
    this.#exports.appendSlot(slot, crcLow, crcHigh, length);
  }

  setSlot(slot: number, seed: bigint): void {
    checkSlot(slot);
    const { low, high } = splitHalves(seed, { low: 0, high: 0 });
    this.#exports.setWord(2 * slot, low);
    this.#exports.setWord(2 * slot + 1, high);
  }

  slot(slot: number): bigint {
    checkSlot(slot);
    return joinHalves(this.#exports.word(2 * slot), this.#exports.word(2 * slot + 1));
  }
}

function instantiate(memory: WasmMemory, scratchOffset: number): Crc64Exports {
  const api = webAssembly();
  if (api === undefined) throw new StorageError("UNSUPPORTED", "this process has no WebAssembly");
  try {
    const module = new api.Module(relocated(scratchOffset));
    const exports = new api.Instance(module, { env: { memory } }).exports as Crc64Exports;
    exports.initialise();
    return exports;
  } catch (cause) {
    throw new StorageError("UNSUPPORTED", "this process cannot run the checksum module", { cause });
  }
}

/** The module's bytes with `scratchOffset` added to each scratch address: five-byte LEB128 numbers. */
function relocated(scratchOffset: number): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  for (const position of relocations) {
    let address = scratchOffset;
    for (let digit = 0; digit < 5; digit++) address += ((bytes[position + digit] as number) & 127) * 2 ** (7 * digit);
    for (let digit = 0; digit < 5; digit++) {
      bytes[position + digit] = (Math.floor(address / 2 ** (7 * digit)) & 127) | (digit < 4 ? 128 : 0);
    }
  }
  return bytes;
}
