/** What the tests of encrypted logs share: key rings with known keys, and bytes of files. */
import type { FileSystem } from "@varve/fs-core";
import { type KeyProvider, localKeyRing } from "../../src/index.ts";

/** Text that is in every key: a test that finds it in some output has found a leak. */
const canary = "CANARYcanaryCANARY";

/** 32 bytes that only `name` can have. */
function testKey(name: string): Uint8Array {
  return Buffer.from(`${canary}${name}`.padEnd(32, "#").slice(0, 32));
}

/** A ring of the keys `ids`, the last of which is the current one. */
export function ringOf(...ids: string[]): KeyProvider {
  return localKeyRing({ keys: Object.fromEntries(ids.map((id) => [id, testKey(id)])), current: ids.at(-1) as string });
}

export async function bytesOf(fs: FileSystem, path: string): Promise<Uint8Array> {
  const handle = await fs.openFile(path);
  try {
    return (await handle.readAll()).slice();
  } finally {
    await handle.close();
  }
}
