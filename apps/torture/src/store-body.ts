/** Bodies that name the attempt that put them and the place of every block, so that wrong, torn and misplaced bytes show. */

const blockBytes = 64;

/** Lines of 64 bytes, the last one cut. */
export function bodyOf(id: string, sizeBytes: number): Buffer {
  const blocks: string[] = [];
  for (let at = 0; at < sizeBytes; at += blockBytes) {
    blocks.push(`${id} ${String(at)}`.padEnd(blockBytes - 1, ".").concat("\n"));
  }
  return Buffer.from(blocks.join(""), "latin1").subarray(0, sizeBytes);
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
