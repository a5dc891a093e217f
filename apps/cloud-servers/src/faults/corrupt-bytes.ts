/**
 * Flips the lowest bit of one byte of a body, of the last one if it is shorter; an empty body stays. What is damaged is
 * copied: the store's own bytes stay as they are.
 */

/** Of a body at hand. */
export function corruptPieces(pieces: readonly Uint8Array[], at: number): Uint8Array[] {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const target = Math.min(at, size - 1);
  let seen = 0;
  return pieces.map((piece) => {
    const offset = target - seen;
    seen += piece.length;
    return offset >= 0 && offset < piece.length ? flipped(piece, offset) : piece;
  });
}

/** Of a body that arrives: one piece is held back, since the last byte may be the one. */
export async function* corruptStream(body: AsyncIterable<Uint8Array>, at: number): AsyncGenerator<Uint8Array> {
  let seen = 0;
  let held: Uint8Array | undefined;
  for await (const piece of body) {
    if (held !== undefined && held.length > 0) {
      const offset = at - seen;
      yield offset >= 0 && offset < held.length ? flipped(held, offset) : held;
      seen += held.length;
    }
    held = piece;
  }
  if (held === undefined || held.length === 0) return;
  const offset = Math.min(at - seen, held.length - 1);
  yield offset >= 0 ? flipped(held, offset) : held;
}

function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[offset] = (copy[offset] as number) ^ 1;
  return copy;
}
