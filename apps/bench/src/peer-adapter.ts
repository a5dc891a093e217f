/**
 * Drives `@varve/aof` the way the peer harness drives every store: see its README for what each mode promises.
 *
 * - `sync`, one caller: `append` under the `sync` strategy, durable when it returns. Many callers: `appendDurable`,
 *   which shares syncs.
 * - `batch`: `appendBatch` under `sync`: one write and one sync for the batch, durable when it returns.
 * - `async`: `append` under `async`; a full buffer is waited for, in order. `drain` makes everything durable.
 *
 * The harness counts records from 0, a log from 1.
 */
import { Aof, type AofSettings } from "@varve/aof";

/** What the harness asks about a peer. */
export const meta: { name: string; kind: string; durable: boolean; notes: string } = {
  name: "varve",
  kind: "javascript",
  durable: true,
  notes: "checksums, ids, index and metrics on; async drain = flush (durable)",
};

/** What the harness says about a cell. */
export interface PeerCell {
  readonly mode: "sync" | "batch" | "async";
  readonly conc: number;
  /** `name=value,…`: settings of the log, for trying them side by side. */
  readonly variant?: string;
}

/** What the harness calls. A result that is not a promise is done when the call returns. */
export interface PeerStore {
  append(index: number, bytes: Uint8Array): unknown;
  appendBatch(first: number, bytes: readonly Uint8Array[]): unknown;
  scan(visit: (bytes: Uint8Array) => void): Promise<number>;
  get(index: number): Uint8Array | undefined;
  count(): number;
  drain(): Promise<unknown>;
  close(): Promise<void>;
}

/** Opens the log in `dir` as the cell wants it. */
export async function open(dir: string, cell: PeerCell): Promise<PeerStore> {
  const log = await Aof.open({
    dir: `${dir}/log`,
    flushStrategy: cell.mode === "async" ? { kind: "async" } : { kind: "sync" },
    ...variantSettings(cell.variant),
  });
  const waitsForAll = cell.mode === "sync" && cell.conc > 1;
  // Appends that met a full buffer, one behind the other: order is part of the job.
  let behind: Promise<unknown> | undefined;
  const inOrder = (append: () => unknown): unknown => {
    if (behind === undefined) {
      try {
        append();
        return undefined;
      } catch (error) {
        return queue(append, readyOf(error));
      }
    }
    return queue(append, behind);
  };
  const queue = (append: () => unknown, before: Promise<unknown>): Promise<unknown> => {
    const mine: Promise<unknown> = before.then(async () => {
      for (;;) {
        try {
          append();
          break;
        } catch (error) {
          await readyOf(error);
        }
      }
      if (behind === mine) behind = undefined;
    });
    behind = mine;
    return mine;
  };
  return {
    append(_index, bytes) {
      if (waitsForAll) return log.appendDurable(bytes);
      if (cell.mode === "async") return inOrder(() => log.append(bytes));
      log.append(bytes);
      return undefined;
    },
    appendBatch(_first, bytes) {
      if (cell.mode === "async") return inOrder(() => log.appendBatch(bytes));
      log.appendBatch(bytes);
      return undefined;
    },
    async scan(visit) {
      let count = 0;
      for await (const batch of log.readBatches()) {
        for (let index = 0; index < batch.count; index++) visit(batch.payload(index));
        count += batch.count;
      }
      return count;
    },
    get: (index) => log.getSync(index + 1)?.payload,
    count: () => log.durableId,
    drain: () => log.flush(),
    close: () => log.close(),
  };
}

/** @throws the error itself when it is not one that passes */
function readyOf(error: unknown): Promise<void> {
  if (error instanceof Error && "ready" in error && error.ready instanceof Promise) return error.ready;
  throw error;
}

function variantSettings(variant: string | undefined): Partial<AofSettings> {
  const pairs = (variant ?? "").split(",").filter((pair) => pair.includes("="));
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, value = ""] = pair.split("=", 2);
      return [name, /^\d+$/.test(value) ? Number(value) : value === "true" || value === "false" ? value === "true" : value];
    }),
  );
}
