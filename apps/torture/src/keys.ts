import { type KeyProvider, localKeyRing } from "@varve/aof";

/** The key of every encrypted torture log: writer and verifier are different programs. */
export const keyProvider: KeyProvider = localKeyRing({
  keys: { torture: new Uint8Array(32).fill(0x5a) },
  current: "torture",
});
