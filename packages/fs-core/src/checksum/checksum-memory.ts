import { isStorageError, StorageError } from "../errors.ts";
import type { Crc64Engine } from "./crc64-engine.ts";
import { TypeScriptCrc64Engine, typeScriptScratchBytes } from "./typescript-engine.ts";
import { crc64ScratchBytes, createCrc64Engine } from "./wasm-engine.ts";
import { type WasmMemory, wasmPageBytes, webAssembly } from "./web-assembly.ts";

/** A buffer whose bytes can be checksummed where they lie: encode into it, checksum, write to the file. */
export interface ChecksumMemory {
  readonly engine: Crc64Engine;
  /**
   * All of the memory. Never grows or detaches: allocated initial = maximum. A plain ArrayBuffer when the engine is
   * TypeScript. Views of it may be passed to every call of `node:fs`.
   */
  readonly buffer: ArrayBuffer;
  /** First byte free for the caller (a multiple of 4096); below it are tables and state, which must be left alone. */
  readonly base: number;
}

/** How {@link createChecksumMemory} chooses its engine. */
export interface ChecksumMemoryOptions {
  /**
   * `auto`, the default: WebAssembly where the process can compile the module and reserve the memory, TypeScript
   * otherwise; `engine.kind` says which. Results are the same; TypeScript takes 2 (64 bytes) to 12 times (1 MiB) as long.
   */
  readonly engine?: "auto" | "wasm" | "typescript";
}

/** Largest `freeBytes` either engine takes, 4 GiB less the tables and one page: addresses are 32 bits. */
const greatestFreeBytes: number = 2 ** 32 - wasmPageBytes - crc64ScratchBytes;

/**
 * Allocates a memory with at least `freeBytes` for the caller, all zero. The bytes are released when nothing refers
 * to the result any more.
 * @param freeBytes whole bytes, 0 to 4 GiB less 128 KiB
 * @throws RangeError when `freeBytes` is outside that, or the system cannot provide it
 * @throws StorageError `UNSUPPORTED` when `engine` is `"wasm"` and the process cannot run it
 */
export function createChecksumMemory(freeBytes: number, options: ChecksumMemoryOptions = {}): ChecksumMemory {
  const { engine = "auto" } = options;
  if (!Number.isInteger(freeBytes) || freeBytes < 0 || freeBytes > greatestFreeBytes) {
    throw new RangeError(`freeBytes: got ${freeBytes}, want an integer in 0..${greatestFreeBytes}`);
  }
  switch (engine) {
    case "auto":
      return wasmMemoryIfSupported(freeBytes) ?? typeScriptMemory(freeBytes);
    case "wasm":
      return wasmMemory(freeBytes);
    case "typescript":
      return typeScriptMemory(freeBytes);
    default:
      throw new RangeError(`engine: got ${String(engine)}, want "auto", "wasm" or "typescript"`);
  }
}

function wasmMemoryIfSupported(freeBytes: number): ChecksumMemory | undefined {
  try {
    return wasmMemory(freeBytes);
  } catch (error) {
    if (isStorageError(error) && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
}

function wasmMemory(freeBytes: number): ChecksumMemory {
  const memory = reserve(Math.ceil((crc64ScratchBytes + freeBytes) / wasmPageBytes));
  return { engine: createCrc64Engine(memory, 0), buffer: memory.buffer, base: crc64ScratchBytes };
}

function reserve(pages: number): WasmMemory {
  const api = webAssembly();
  if (api === undefined) throw new StorageError("UNSUPPORTED", "this process has no WebAssembly");
  try {
    return new api.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    // Every WebAssembly memory reserves gigabytes of address space, which a limit may refuse where plain bytes are left.
    throw new StorageError("UNSUPPORTED", `cannot reserve ${pages} pages of WebAssembly memory`, { cause });
  }
}

function typeScriptMemory(freeBytes: number): ChecksumMemory {
  const base = Math.ceil(typeScriptScratchBytes / 4096) * 4096;
  const buffer = new ArrayBuffer(base + freeBytes);
  return { engine: new TypeScriptCrc64Engine(buffer), buffer, base };
}
