// Goal: what a call says of its outcome is true, and what it says is its own is its own.
// Method: drivers that are told by a script what happens to which request; races between stores; signals that fire in the
// middle of a request.
import { describe, expect, test, vi } from "vitest";
import {
  createObjectStore,
  type DriverCall,
  MemoryDriver,
  MemoryFileSystem,
  type ObjectStore,
  type PutResult,
  StoreError,
} from "../src/index.ts";
import { type DriverFault, FaultyDriver } from "../src/testing/index.ts";

const bytes = new Uint8Array(3000).fill(3);
const small = new Uint8Array(10).fill(1);
const fast = { retry: { attemptsMax: 3, baseDelayMs: 0 } } as const;

/** Faults by operation, one for each of its requests in turn; then none. */
function scripted(
  memory: MemoryDriver,
  script: Readonly<Record<string, readonly (DriverFault | undefined)[]>>,
): FaultyDriver {
  const counts = new Map<string, number>();
  return new FaultyDriver(memory, (operation) => {
    const at = counts.get(operation) ?? 0;
    counts.set(operation, at + 1);
    return script[operation]?.[at];
  });
}

async function failureOf(work: Promise<unknown>): Promise<StoreError> {
  return work.then(
    () => {
      throw new Error("it resolved");
    },
    (error: unknown) => error as StoreError,
  );
}

describe("a signal that fires while the store refuses", () => {
  // A request that a proxy sent twice is refused by our own success.
  test.for(["put", "copy", "completeUpload"] as const)(
    "%s was carried out: the outcome is not none",
    async (operation) => {
      const memory = new MemoryDriver();
      const clean = createObjectStore(memory);
      await clean.put("from", small);
      const stop = new AbortController();
      const send = memory[operation].bind(memory) as (...args: unknown[]) => Promise<unknown>;
      (memory as unknown as Record<string, unknown>)[operation] = async (...args: unknown[]) => {
        await send(...args);
        try {
          return await send(...args);
        } catch (error) {
          // The refusal arrives, and the signal fires before anybody could look.
          queueMicrotask(() => stop.abort());
          throw error;
        }
      };
      const store = createObjectStore(memory, fast);
      const options = { ifAbsent: true, signal: stop.signal };
      const failure = await failureOf(
        operation === "put"
          ? store.put("k", small, options)
          : operation === "copy"
            ? store.copy("from", "k", options)
            : store.putStream("k", [bytes], { ...options, partBytes: 1000 }),
      );
      expect(await clean.head("k")).toBeDefined();
      expect(failure.outcome).toBe("unknown");
      expect(failure.code).not.toBe("ALREADY_EXISTS");
      await store.close();
    },
  );
});

test("putFile does not begin again when its upload may have been stored", async () => {
  const memory = new MemoryDriver();
  const fileSystem = new MemoryFileSystem();
  await using file = await fileSystem.createFile("file");
  await file.writeAt(0, bytes);
  const store = createObjectStore(
    scripted(memory, {
      completeUpload: [{ kind: "lose-answer" }, { kind: "refuse", code: "CONFLICT" }],
      head: [{ kind: "refuse", code: "PERMISSION_DENIED" }],
    }),
    fast,
  );
  const failure = await failureOf(
    store.putFile("k", { fileSystem, path: "file" }, { partBytes: 1000, ifAbsent: true }),
  );
  expect(await createObjectStore(memory).head("k")).toBeDefined();
  expect(failure).toMatchObject({ code: "CONFLICT", outcome: "unknown" });
  await store.close();
});

test("putFile begins again when the store was busy and did nothing", async () => {
  const memory = new MemoryDriver();
  const fileSystem = new MemoryFileSystem();
  await using file = await fileSystem.createFile("file");
  await file.writeAt(0, bytes);
  const store = createObjectStore(scripted(memory, { completeUpload: [{ kind: "refuse", code: "CONFLICT" }] }), fast);
  const { size } = await store.putFile("k", { fileSystem, path: "file" }, { partBytes: 1000, ifAbsent: true });
  expect(size).toBe(3000);
  await store.close();
});

test("a listener that throws does not make a failure of a success", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const store = createObjectStore(new MemoryDriver());
  const onProgress = (): never => {
    throw new Error("the bar broke");
  };
  await store.putStream("whole", [small], { onProgress });
  await store.putStream("parts", [bytes], { partBytes: 1000, onProgress });
  expect((await store.head("whole"))?.size).toBe(10);
  expect((await store.head("parts"))?.size).toBe(3000);
  expect(warned).toHaveBeenCalledTimes(4);
  expect(String(warned.mock.calls[0]?.[0])).toContain("the bar broke");
  warned.mockRestore();
  await store.close();
});

describe("rename with ifAbsent", () => {
  test("of ten that move one object at most one resolves, and no other says that it changed nothing falsely", async () => {
    const memory = new MemoryDriver();
    const stores = Array.from({ length: 10 }, () => createObjectStore(memory));
    await (stores[0] as ObjectStore).put("from", small);
    const results = await Promise.allSettled(stores.map((store) => store.rename("from", "to", { ifAbsent: true })));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ name: "StoreError" });
    }
  });

  test("whose request was lost does not take another's success for its own", async () => {
    const memory = new MemoryDriver();
    const other = createObjectStore(memory);
    await other.put("from", small);
    const driver = new FaultyDriver(memory, () => undefined);
    const rename = driver.rename as NonNullable<typeof driver.rename>;
    let attempts = 0;
    driver.rename = async (...args) => {
      if (attempts++ > 0) return rename(...args);
      await other.rename("from", "to", { ifAbsent: true });
      throw new StoreError("UNAVAILABLE", "lost", { outcome: "unknown" });
    };
    const failure = await failureOf(createObjectStore(driver, fast).rename("from", "to", { ifAbsent: true }));
    expect(failure).toMatchObject({ outcome: "unknown" });
    expect(["ALREADY_EXISTS", "NOT_FOUND"]).not.toContain(failure.code);
  });
});

describe("a copy of an object that is replaced meanwhile", () => {
  function replacing(memory: MemoryDriver, times: number): MemoryDriver {
    const other = createObjectStore(memory);
    const copy = memory.copy.bind(memory);
    let left = times;
    memory.copy = async (...args) => {
      if (left-- > 0) await other.put("from", new Uint8Array(20 + left));
      return copy(...args);
    };
    return memory;
  }

  test("without a condition of its source copies what is there now", async () => {
    const store = createObjectStore(replacing(new MemoryDriver(), 2));
    await store.put("from", small);
    const { size } = await store.copy("from", "to", { ifAbsent: true });
    expect((await store.head("to"))?.size).toBe(size);
    expect(size).toBe(20);
  });

  test("with one is refused", async () => {
    const store = createObjectStore(replacing(new MemoryDriver(), 1));
    const { version } = await store.put("from", small);
    const failure = await failureOf(store.copy("from", "to", { ifSourceMatch: version }));
    expect(failure).toMatchObject({ code: "VERSION_MISMATCH", outcome: "none" });
  });

  test("without end does not go on without end", async () => {
    const store = createObjectStore(replacing(new MemoryDriver(), 1000));
    await store.put("from", small);
    expect(await failureOf(store.copy("from", "to"))).toMatchObject({ code: "VERSION_MISMATCH", outcome: "none" });
  });
});

describe("metadata", () => {
  const call: DriverCall = { signal: new AbortController().signal };

  test("of an object that others put is copied as it is, and believed no more than before", async () => {
    const memory = new MemoryDriver();
    const metadata = { percent: "100%41", plain: "x y", varvecrc64: "0123456789abcdef" };
    await memory.put("from", small, { metadata, contentType: "text/plain", checksum: undefined }, call);
    const head = memory.head.bind(memory);
    // As of a store that keeps no checksum itself.
    memory.head = async (...args) => {
      const info = await head(...args);
      return info === undefined ? undefined : { ...info, checksum: undefined };
    };
    const store = createObjectStore(memory);
    const before = await store.head("from");
    await store.copy("from", "to");
    const after = await store.head("to");
    expect(after?.metadata).toMatchObject({ percent: "100%41", plain: "x y" });
    expect(after?.checksum).toBe(before?.checksum);
    expect(after?.checksum).toBeUndefined();
    await store.copy("to", "again");
    expect((await store.head("again"))?.metadata).toEqual(after?.metadata);
  });

  test("is that of the moment of the call", async () => {
    const store = createObjectStore(new MemoryDriver());
    const metadata: Record<string, string> = { one: "1" };
    const writer = store.createWriter("k", { metadata });
    metadata["Not A Name\r\n"] = "x";
    metadata["one"] = 5 as never;
    await writer.commit();
    expect((await store.head("k"))?.metadata).toEqual({ one: "1" });
  });

  test.for([new Map([["a", "b"]]), new Headers({ a: "b" }), [["a", "b"]], "a=b", 5, null, () => {}])(
    "%s is no object of texts",
    async (metadata) => {
      const store = createObjectStore(new MemoryDriver());
      await expect(store.put("k", small, { metadata: metadata as never })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    },
  );

  test("content types are judged in no time", async () => {
    const store = createObjectStore(new MemoryDriver());
    for (const contentType of [`${"a".repeat(200_000)}\n`, "", " a", "a ", "é", "a\nb", 5, {}]) {
      const put = store.put("k", small, { contentType: contentType as never });
      await expect(put).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});

describe("a server that answers with something else than was asked for", () => {
  /** `ignores` what is asked, and answers with the current object, whole. */
  function careless(ignores: "range" | "ifMatch"): MemoryDriver {
    const memory = new MemoryDriver();
    const get = memory.get.bind(memory);
    memory.get = (key, { range, ifMatch }, call) =>
      get(
        key,
        {
          ...(range === undefined || ignores === "range" ? {} : { range }),
          ...(ifMatch === undefined || ignores === "ifMatch" ? {} : { ifMatch }),
        },
        call,
      );
    return memory;
  }

  test("than the range: no wrong bytes", async () => {
    const store = createObjectStore(careless("range"), fast);
    await store.put(
      "k",
      Uint8Array.from({ length: 100 }, (_, at) => at),
    );
    for (const range of [{ offset: 10, length: 5 }, { offset: 10 }, { suffixLength: 5 }, { offset: 0, length: 5 }]) {
      expect(await failureOf(store.get("k", { range }))).toMatchObject({ code: "IO", outcome: "none" });
    }
    expect(await failureOf(store.getRanges("k", [{ offset: 10, length: 5 }]))).toMatchObject({ code: "IO" });
    expect((await (await store.get("k")).bytes()).byteLength).toBe(100);
  });

  test("than the version: no wrong bytes", async () => {
    const memory = careless("ifMatch");
    const store = createObjectStore(memory, fast);
    const first: PutResult = await store.put("k", new Uint8Array(200_000).fill(1));
    await store.put("k", new Uint8Array(200_000).fill(2));
    const wanted = { ifMatch: first.version };
    expect(await failureOf(store.get("k", wanted))).toMatchObject({ code: "VERSION_MISMATCH" });
    const ranges = [{ offset: 0, length: 10 }];
    expect(await failureOf(store.getRanges("k", ranges, wanted))).toMatchObject({ code: "VERSION_MISMATCH" });
    // A body that breaks off and goes on with the object that replaced it.
    let gets = 0;
    const faulty = new FaultyDriver(memory, (operation) =>
      operation === "get" && gets++ === 0 ? { kind: "cut-body", bytes: 100_000, how: "end" } : undefined,
    );
    const body = await createObjectStore(faulty, fast).get("k", { range: { offset: 0, length: 199_999 } });
    await store.put("k", new Uint8Array(200_000).fill(3));
    expect(await failureOf(body.bytes())).toMatchObject({ code: "VERSION_MISMATCH" });
  });
});

describe("bodies", () => {
  test.for([Number.NaN, -1, "5", null])("limitBytes %s is no limit", async (limitBytes) => {
    const store = createObjectStore(new MemoryDriver());
    await store.put("k", small);
    await using body = await store.get("k");
    const reading = body.bytes({ limitBytes: limitBytes as never });
    await expect(reading).rejects.toMatchObject({ code: "INVALID_ARGUMENT", key: "k" });
  });

  test("a failure in the middle names key, operation and store", async () => {
    const memory = new MemoryDriver();
    const store = createObjectStore(memory);
    await store.put("k", bytes);
    const get = memory.get.bind(memory);
    memory.get = async (...args) => {
      const answer = await get(...args);
      const chunks = (async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(5);
        throw new StoreError("CORRUPT", "the file became shorter", { key: "k" });
      })();
      return { ...answer, chunks };
    };
    for (const read of [
      async () => (await store.get("k")).bytes(),
      () => store.getRanges("k", [{ offset: 0, length: 9 }]),
    ]) {
      expect(await failureOf(read())).toMatchObject({ code: "CORRUPT", key: "k", operation: "get", store: store.url });
    }
  });

  test.for([null, 5, {}, "x", { offset: 1, suffixLength: 2 }])("%j is no range", async (range) => {
    const store = createObjectStore(new MemoryDriver());
    await store.put("k", small);
    await expect(store.get("k", { range: range as never })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(store.getRanges("k", [range as never])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(store.getRanges("k", range as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

test("a listing of which a page leads to itself ends", async () => {
  const memory = new MemoryDriver();
  memory.listPage = async () => ({ objects: [], prefixes: [], nextPageToken: "same" });
  memory.listUploadsPage = async () => ({ uploads: [], nextPageToken: "same" as never });
  const store = createObjectStore(memory);
  for (const listing of [store.list(), store.listIncompleteUploads()]) {
    const reading = (async () => {
      for await (const _entry of listing) throw new Error("nothing is there");
    })();
    expect(await failureOf(reading)).toMatchObject({ code: "IO", outcome: "none" });
  }
});
