/**
 * The few parts of the WebAssembly interface this folder uses, described by shape: Node's own type package leaves
 * them to the browser's, and a library must not declare globals for its users.
 */

/** What this package needs of a `WebAssembly.Memory`; every real one fits. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** The constructors used here. */
export interface WebAssemblyApi {
  readonly Memory: new (descriptor: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: unknown };
}

/** Bytes in one page of WebAssembly memory. */
export const wasmPageBytes = 65_536;

/** The platform's WebAssembly, or `undefined` where it is switched off (`--jitless`, hardened builds). */
export function webAssembly(): WebAssemblyApi | undefined {
  return (globalThis as { readonly WebAssembly?: WebAssemblyApi }).WebAssembly;
}
