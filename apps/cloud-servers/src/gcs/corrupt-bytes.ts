/** Damages one byte of a body, and copies what it damages: the store's own bytes stay as they are. */

/** Of a body at hand. */
export function corruptChunks(chunks: readonly Uint8Array[], atByte: number): Uint8Array[] {
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const target = Math.min(atByte, size - 1);
  let at = 0;
  return chunks.map((chunk) => {
    const offset = target - at;
    at += chunk.length;
    return offset >= 0 && offset < chunk.length ? flipped(chunk, offset) : chunk;
  });
}

/** Of a body that arrives: one chunk is held back, since the last byte may be the one. */
export async function* corruptStream(body: AsyncIterable<Uint8Array>, atByte: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of body) {
    if (held !== undefined && held.length > 0) {
      const offset = atByte - at;
      yield offset >= 0 && offset < held.length ? flipped(held, offset) : held;
      at += held.length;
    }
    held = chunk;
  }
  if (held === undefined || held.length === 0) return;
  const offset = Math.min(atByte - at, held.length - 1);
  yield offset >= 0 ? flipped(held, offset) : held;
}

function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[offset] = (copy[offset] as number) ^ 1;
  return copy;
}
