/** What the store benches do, the same through either side. */
import { payloadsOf } from "../payloads.ts";
import type { StoreClient } from "./store-client.ts";

/** One kind of operation. */
export interface StoreWork {
  readonly name: string;
  /** Operations under way at once. */
  readonly inFlight: number;
  /** Once, before either side is measured. */
  prepare(client: StoreClient): Promise<void>;
  /** @param slot below `inFlight`; no other operation under way has it @throws Error when the answer is not what was put */
  run(client: StoreClient, slot: number): Promise<void>;
}

const kib = 1024;
const mib = 1024 * kib;
const listedKeys = 10_000;
/** What a producer hands over at once: the default of streams of files. */
const pieceBytes = 64 * kib;

export function storeWorks(): StoreWork[] {
  return [
    putWork("put 4 KiB", 4 * kib, 16),
    getWork("get 4 KiB", 4 * kib, 16),
    putWork("put 1 MiB", mib, 4),
    getWork("get 1 MiB", mib, 4),
    putStreamWork("put 64 MiB", 64 * mib),
    getStreamWork("get 64 MiB", 64 * mib),
    listWork(`list ${listedKeys} keys`, listedKeys),
  ];
}

/** A key for each slot: writes of one key at once would queue on some servers. */
function keyOf(slot: number): string {
  return `object-${slot}`;
}

function putWork(name: string, bytes: number, inFlight: number): StoreWork {
  let payload: (index: number) => Uint8Array = () => new Uint8Array(bytes);
  let next = 0;
  return {
    name,
    inFlight,
    async prepare() {
      payload = payloadsOf(bytes);
    },
    run: (client, slot) => client.put(keyOf(slot), payload(next++)),
  };
}

function getWork(name: string, bytes: number, inFlight: number): StoreWork {
  return {
    name,
    inFlight,
    async prepare(client) {
      const payload = payloadsOf(bytes);
      for (let slot = 0; slot < inFlight; slot++) await client.put(keyOf(slot), payload(slot));
    },
    async run(client, slot) {
      assertCount(name, await client.get(keyOf(slot)), bytes);
    },
  };
}

function putStreamWork(name: string, bytes: number): StoreWork {
  return {
    name,
    inFlight: 1,
    async prepare() {},
    run: (client, slot) => client.putStream(keyOf(slot), generated(bytes)),
  };
}

function getStreamWork(name: string, bytes: number): StoreWork {
  return {
    name,
    inFlight: 1,
    prepare: (client) => client.putStream(keyOf(0), generated(bytes)),
    async run(client, slot) {
      assertCount(name, await client.getStream(keyOf(slot)), bytes);
    },
  };
}

function listWork(name: string, keys: number): StoreWork {
  return {
    name,
    inFlight: 1,
    async prepare(client) {
      const payload = payloadsOf(16);
      const lanes = Array.from({ length: 16 }, async (_, lane) => {
        for (let key = lane; key < keys; key += 16) {
          await client.put(`listed/${String(key).padStart(6, "0")}`, payload(key));
        }
      });
      await Promise.all(lanes);
    },
    async run(client) {
      assertCount(name, await client.list("listed/"), keys);
    },
  };
}

/** `bytes` of noise in pieces of 64 KiB, the same few over and over: making them must cost nothing. */
export async function* generated(bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  const payload = payloadsOf(pieceBytes);
  for (let at = 0, next = 0; at < bytes; at += pieceBytes) yield payload(next++).subarray(0, bytes - at);
}

function assertCount(name: string, got: number, want: number): void {
  if (got !== want) throw new Error(`${name}: got ${got}, want ${want}`);
}
