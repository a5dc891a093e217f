// 1 MiB: within the 256 KiB to 1 MiB per write that measured best, and few calls for a 64 MiB segment.
const pieceBytes = 2 ** 20;
let shared: Uint8Array | undefined;

/** The pieces of `[position, position + length)` as positions and all-zero bytes. The bytes are shared: never write to them. */
export function* zeroPieces(position: number, length: number): Generator<readonly [number, Uint8Array]> {
  shared ??= new Uint8Array(pieceBytes);
  for (let done = 0; done < length; done += pieceBytes) {
    yield [position + done, shared.subarray(0, Math.min(pieceBytes, length - done))];
  }
}
