/**
 * The log behind the interface of the peer harness: what its README says a store must do, by the calls that a user of
 * the log would make for it. Ids there begin at 0, in the log at 1.
 */
import { Aof, type AofSettings, isAofError } from "@varve/aof";
import { parseVariant } from "./peer-variant.ts";

export interface PeerMeta {
  readonly name: string;
  readonly kind: string;
  readonly durable: boolean;
  readonly notes: string;
}

/** Says what the numbers mean. */
export const meta: PeerMeta = {
  name: "varve",
  kind: "js",
  durable: true,
  notes:
    "@varve/aof, default safety; 1 caller: sync strategy, blocking append; more: appendDurable (group commit); " +
    "batchN: appendBatch under sync; async: append under the async strategy; get = getSync; " +
    "scan: readBatches, borrowed",
};

export interface PeerOptions {
  readonly size: number;
  /** What a returned promise, or a return without one, has to mean. */
  readonly mode: "sync" | "batch" | "async";
  readonly conc?: number;
  /** See `parseVariant`. */
  readonly variant?: string;
}

/** What the harness drives. A call without a promise kept its promise when it returned. */
export interface PeerStore {
  append(index: number, payload: Uint8Array): undefined | Promise<unknown>;
  appendBatch(firstIndex: number, payloads: readonly Uint8Array[]): undefined | Promise<unknown>;
  scan(onRecord: (payload: Uint8Array) => void): Promise<number>;
  get(index: number): Uint8Array | undefined;
  count(): number;
  drain(): Promise<unknown>;
  close(): Promise<void>;
}

/** @throws AofError as `Aof.open` does; RangeError for a variant it does not know */
export async function open(dir: string, { size, mode, conc = 1, variant }: PeerOptions): Promise<PeerStore> {
  const isGroup = mode === "sync" && conc > 1;
  const settings: AofSettings = {
    dir,
    // With many callers the strategy hardly matters: each asks for its own durability, and they share the syncs.
    ...(isGroup ? {} : { flushStrategy: { kind: mode === "async" ? "async" : "sync" } }),
    ...parseVariant(variant),
  };
  const log = await Aof.open(settings);
  const inOrder = new InOrder();
  // A batch larger than the append buffer would be copied to memory of its own; a batch here need not be atomic.
  const partBytes = log.options.bufferBytes / 2;
  return {
    append: isGroup ? durableAppend(log, size * conc) : (_, payload) => inOrder.run(() => log.append(payload)),
    appendBatch: (_, payloads) =>
      partsOf(payloads, partBytes)
        .map((part) => inOrder.run(() => log.appendBatch(part)))
        .at(-1),
    async scan(onRecord) {
      let count = 0;
      for await (const batch of log.readBatches({ borrow: true })) {
        for (let k = 0; k < batch.count; k++) onRecord(batch.payload(k));
        count += batch.count;
      }
      return count;
    },
    get: (index) => log.getSync(index + 1)?.payload,
    count: () => log.lastId - log.firstId + 1,
    drain: () => inOrder.settled().then(() => log.flush()),
    close: () => log.close(),
  };
}

/** Callers whose records all fit the buffer never meet a full one; the others wait for room. */
function durableAppend(log: Aof, bytesInFlight: number): PeerStore["append"] {
  if (bytesInFlight * 2 < log.options.bufferBytes) return (_, payload) => log.appendDurable(payload);
  return async (_, payload) => {
    for (;;) {
      try {
        return await log.appendDurable(payload);
      } catch (error) {
        await roomAfter(error);
      }
    }
  };
}

/** Calls in the order they came, although some have to wait for room in the log's buffer. */
class InOrder {
  #waiting: Promise<void> | undefined;

  /** Runs `call` now if it can, otherwise resolves when it was run. It is run again after it found no room. */
  run(call: () => unknown): undefined | Promise<void> {
    if (this.#waiting !== undefined) return this.#enqueue(this.#waiting.then(() => retried(call)));
    try {
      call();
      return undefined;
    } catch (error) {
      return this.#enqueue(roomAfter(error).then(() => retried(call)));
    }
  }

  async settled(): Promise<void> {
    await this.#waiting;
  }

  #enqueue(waiting: Promise<void>): Promise<void> {
    const tail = waiting.finally(() => {
      if (this.#waiting === tail) this.#waiting = undefined;
    });
    this.#waiting = tail;
    return tail;
  }
}

async function retried(call: () => unknown): Promise<void> {
  for (;;) {
    try {
      call();
      return;
    } catch (error) {
      await roomAfter(error);
    }
  }
}

/** Resolves when there is room again. @throws the error when it is about something else */
function roomAfter(error: unknown): Promise<void> {
  if (!isAofError(error) || error.ready === undefined) throw error;
  return error.ready;
}

/** The payloads in runs of at most `maxBytes`, or of one payload where that alone is larger. */
function partsOf(payloads: readonly Uint8Array[], maxBytes: number): (readonly Uint8Array[])[] {
  const parts: (readonly Uint8Array[])[] = [];
  let from = 0;
  let bytes = 0;
  for (let k = 0; k < payloads.length; k++) {
    const length = (payloads[k]?.length ?? 0) + 40;
    if (bytes + length > maxBytes && k > from) {
      parts.push(payloads.slice(from, k));
      from = k;
      bytes = 0;
    }
    bytes += length;
  }
  parts.push(from === 0 ? payloads : payloads.slice(from));
  return parts;
}
