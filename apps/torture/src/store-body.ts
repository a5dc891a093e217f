/** Bodies that name the attempt that put them and the place of every block, so that wrong, torn and misplaced bytes show. */

const lineBytes = 64;
const placeDigits = 10;

/** Lines of 64 bytes, the last one cut: the attempt, and how many bytes precede the line. */
export function bodyOf(id: string, sizeBytes: number): Buffer {
  const line = `${id} ${"0".repeat(placeDigits)}`.padEnd(lineBytes - 1, ".").concat("\n");
  const body = Buffer.alloc(sizeBytes, line, "latin1");
  const lastDigit = id.length + placeDigits;
  // Digit by digit: a text for each of 160 000 lines took longer than all else that a client does.
  for (let at = 0; at < sizeBytes; at += lineBytes) {
    let place = at + lastDigit;
    for (let rest = at; rest > 0; rest = Math.floor(rest / 10)) body[place--] = 48 + (rest % 10);
  }
  return body;
}

/** One entry of a swapped object, which holds all of them: what was added, by which attempt. */
export interface ChainLink {
  readonly item: number;
  readonly id: string;
}

export function chainBytes(links: readonly ChainLink[]): Buffer {
  return Buffer.from(links.map(({ item, id }) => `${item} ${id}\n`).join(""), "latin1");
}

/** Undefined for what is no chain. */
export function parseChain(bytes: Uint8Array): ChainLink[] | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  if (!/^(?:\d+ [0-9a-f]{32}\n)*$/.test(text)) return undefined;
  return [...text.matchAll(/^(\d+) ([0-9a-f]{32})$/gm)].map(([, item, id = ""]) => ({ item: Number(item), id }));
}
