/**
 * The jobs, each of which goes on where an earlier run of it ended. A job ends with the first failure that is no answer:
 * what it was not told it finds out in the next run, from the store.
 */
import { isStoreError, type ObjectBody, StoreError } from "@varve/fs-core";
import type { StoreAttempts } from "./store-attempts.ts";
import { bodyOf, type ChainLink, chainBytes, parseChain } from "./store-body.ts";
import { type Job, multipartSizes, plannedItems, smallBytes, swapKey } from "./store-plan.ts";

type Work = (attempts: StoreAttempts, items: number) => Promise<void>;

/** @throws StoreError */
export async function doJob(job: Job, attempts: StoreAttempts, items: number): Promise<void> {
  await works[job](attempts, items);
}

const works: Readonly<Record<Job, Work>> = {
  put: async (attempts, items) => {
    for (const { key } of plannedItems("put", items)) {
      if (attempts.isDone(key, "put")) continue;
      const failure = await attempts.make("put", key, (putId) =>
        attempts.store.put(key, bodyOf(putId, smallBytes), { putId, metadata: { body: putId } }),
      );
      if (failure !== undefined) throw failure;
      await readBack(attempts, key, smallBytes);
    }
  },
  create: async (attempts, items) => {
    for (const { key } of plannedItems("create", items)) await create(attempts, key, 2);
  },
  multipart: async (attempts, items) => {
    await dropUploads(attempts);
    const { partBytes, sizeBytes } = multipartSizes(attempts.store.capabilities);
    for (const { key } of plannedItems("multipart", items)) {
      await settle(attempts, key, () =>
        attempts.make("create", key, (putId) =>
          attempts.store.putStream(key, [bodyOf(putId, sizeBytes)], {
            ...{ putId, partBytes, ifAbsent: true, metadata: { body: putId } },
          }),
        ),
      );
      await readBack(attempts, key, sizeBytes);
    }
  },
  copy: async (attempts, items) => {
    for (const { key, from = "" } of plannedItems("copy", items)) {
      await create(attempts, from, 1);
      await settle(
        attempts,
        key,
        () => attempts.make("copy", key, (putId) => attempts.store.copy(from, key, { putId, ifAbsent: true })),
        "copy",
      );
    }
  },
  swap: async (attempts, items) => {
    const left = Array.from({ length: items }, (_, item) => item);
    const work = async (): Promise<void> => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await swap(attempts, item);
    };
    const ends = await Promise.allSettled([work(), work()]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  },
  delete: async (attempts, items) => {
    const planned = plannedItems("delete", items).filter(({ key }) => !attempts.isDone(key, "delete"));
    for (const { key } of planned) if (!attempts.wasTried(key, "delete")) await create(attempts, key, 1);
    const many: string[] = [];
    for (const { key, fate } of planned) {
      if (fate === "keep") continue;
      const found = await attempts.store.head(key);
      if (found === undefined) attempts.recogniseDeletion(key);
      else if (fate === "delete-many") many.push(key);
      else await deleteOne(attempts, key, found.version);
    }
    await deleteMany(attempts, many);
  },
};

/** So many rivals at once, of which one wins. */
async function create(attempts: StoreAttempts, key: string, rivals: number): Promise<void> {
  const one = (): Promise<StoreError | undefined> =>
    attempts.make("create", key, (putId) =>
      attempts.store.put(key, bodyOf(putId, smallBytes), { putId, ifAbsent: true, metadata: { body: putId } }),
    );
  await settle(attempts, key, async () => {
    const ends = await Promise.all(Array.from({ length: rivals }, one));
    if (ends.includes(undefined)) return undefined;
    return ends.find((end) => end?.code !== "ALREADY_EXISTS") ?? ends[0];
  });
}

/** `once`, unless it is done. Where something is there already it must be ours, from an attempt that nobody answered. */
async function settle(
  attempts: StoreAttempts,
  key: string,
  once: () => Promise<StoreError | undefined>,
  verb: "create" | "copy" = "create",
): Promise<void> {
  if (attempts.isDone(key, verb)) return;
  const failure = await once();
  if (failure === undefined) return;
  if (failure.code !== "ALREADY_EXISTS") throw failure;
  if (!attempts.recognise(key, (await attempts.store.head(key))?.putId)) throw failure;
}

/** How often a swap that lost to its rival reads and tries again. */
const swapRoundsMax = 12;

async function swap(attempts: StoreAttempts, item: number): Promise<void> {
  let failure: StoreError | undefined;
  for (let round = 0; round < swapRoundsMax; round++) {
    const { links, version } = await readChain(attempts);
    for (const { id } of links) attempts.recognise(swapKey, id);
    if (links.some((link) => link.item === item)) return;
    failure = await attempts.make("swap", swapKey, (putId) =>
      attempts.store.put(swapKey, chainBytes([...links, { item, id: putId }]), {
        putId,
        ...(version === undefined ? { ifAbsent: true } : { ifMatch: version }),
      }),
    );
    if (failure === undefined) return;
    const isLost = failure.code === "ALREADY_EXISTS" || failure.code === "VERSION_MISMATCH";
    if (!isLost && failure.outcome === "none") throw failure;
  }
  throw failure ?? new StoreError("CONFLICT", `item ${item} did not get into the chain`);
}

async function readChain(
  attempts: StoreAttempts,
): Promise<{ readonly links: readonly ChainLink[]; readonly version: string | undefined }> {
  let body: ObjectBody;
  try {
    body = await attempts.store.get(swapKey);
  } catch (error) {
    if (isStoreError(error) && error.code === "NOT_FOUND") return { links: [], version: undefined };
    throw error;
  }
  const links = parseChain(await body.bytes());
  if (links === undefined) {
    attempts.noteWrongRead(swapKey);
    throw new StoreError("CORRUPT", "the chain is none", { key: swapKey });
  }
  return { links, version: body.info.version };
}

async function deleteOne(attempts: StoreAttempts, key: string, version: string): Promise<void> {
  const condition = attempts.store.capabilities.deleteIfMatch ? { ifMatch: version } : {};
  const failure = await attempts.make("delete", key, () => attempts.store.delete(key, condition));
  if (failure !== undefined) throw failure;
}

async function deleteMany(attempts: StoreAttempts, keys: readonly string[]): Promise<void> {
  const ids = keys.map((key) => attempts.begin("delete", key));
  let failures: ReadonlyMap<string, unknown>;
  try {
    failures = new Map((await attempts.store.deleteMany(keys)).map(({ key, error }) => [key, error]));
  } catch (error) {
    failures = new Map(keys.map((key) => [key, error]));
  }
  const ends = keys.map((key, at) => attempts.end(ids[at] as string, failures.get(key)));
  const failure = ends.find((end) => end !== undefined);
  if (failure !== undefined) throw failure;
}

/** What the object says it holds has to be what it holds. */
async function readBack(attempts: StoreAttempts, key: string, sizeBytes: number): Promise<void> {
  const body = await attempts.store.get(key);
  const bytes = await body.bytes();
  const { body: id = "" } = body.info.metadata;
  if (Buffer.compare(bytes, bodyOf(id, sizeBytes)) !== 0) attempts.noteWrongRead(key);
}

/** What an earlier run left behind, where the store tells. */
async function dropUploads({ store }: StoreAttempts): Promise<void> {
  const { listUploads, abortUploads } = store.capabilities;
  if (!listUploads || !abortUploads) return;
  for await (const upload of store.listIncompleteUploads()) await store.abortIncompleteUpload(upload);
}
