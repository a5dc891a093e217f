/**
 * A client of an object store, to be run through a proxy that breaks its requests, and again to finish what it began.
 * Exit code 0 when the job is done, 1 with `CODE: message` for a failure that the store names, 2 on wrong use; anything
 * else is a crash.
 */
import { isStoreError } from "@varve/fs-core";
import { printLines } from "./output.ts";
import { type StoreArguments, storeArguments, storeUsage } from "./store-arguments.ts";
import { StoreAttempts } from "./store-attempts.ts";
import { openStoreAt } from "./store-backends.ts";
import { doJob } from "./store-jobs.ts";
import { Ledger } from "./store-ledger.ts";

/** A store that hangs is left long before the fault tool calls the client hung, and one that is only slow is not. */
const settings = {
  callTimeoutMs: 5000,
  requestTimeoutMs: 1500,
  stallTimeoutMs: 1000,
  bytesPerSecondMin: 16 * 2 ** 20,
  retry: { attemptsMax: 3, baseDelayMs: 5, maxDelayMs: 50 },
} as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let given: StoreArguments;
  try {
    given = storeArguments(args);
  } catch (error) {
    printLines(2, `${(error as Error).message}\nusage: store-client ${storeUsage}`);
    return 2;
  }
  const { backend, endpoint, dir, job, items } = given;
  const ledger = new Ledger(dir);
  try {
    const store = await openStoreAt(backend, endpoint, settings);
    try {
      await doJob(job, new StoreAttempts(store, ledger), items);
    } finally {
      await store.close();
    }
    return 0;
  } catch (error) {
    if (!isStoreError(error)) throw error;
    printLines(2, `${error.code}: ${error.message.replaceAll("\n", "; ")}\n`);
    return 1;
  } finally {
    ledger.close();
  }
}
