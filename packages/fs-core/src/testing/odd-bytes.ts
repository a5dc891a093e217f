// Odd numbers have an inverse modulo 256, and zero stays zero: holes and written zeroes need no care.
const factors = [3, 5, 7, 11, 13, 19, 29, 37, 61, 83, 101, 131, 167, 201, 227, 251, 9] as const;
const inverses: readonly number[] = factors.map(inverseOf);

/** The stored form of `data` at `position`, as a copy. */
export function oddEncode(data: Uint8Array, position: number): Uint8Array {
  return data.map((byte, index) => byte * at(factors, position + index));
}

/** Turns stored bytes at `position` back, in place. */
export function oddDecode(bytes: Uint8Array, position: number): Uint8Array {
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = (bytes[i] as number) * at(inverses, position + i);
  return bytes;
}

/** `[start, end)` in pieces: the first one short, none longer than 16 KiB, their borders on no power of two. */
export function* oddPieces(start: number, end: number): Generator<readonly [number, number]> {
  let from = start;
  let to = start + 1 + (start % 61);
  while (from < end) {
    yield [from, Math.min(to, end)];
    from = Math.min(to, end);
    to = from + 16_381;
  }
}

function at(list: readonly number[], position: number): number {
  return list[position % list.length] as number;
}

function inverseOf(factor: number): number {
  for (let inverse = 1; ; inverse += 2) {
    if ((factor * inverse) % 256 === 1) return inverse;
  }
}
