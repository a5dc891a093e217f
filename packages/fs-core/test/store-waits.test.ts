// Goal: nothing that a store waits for holds a caller whose signal fired or whose deadline passed, nor `close`; what takes
// long because it is large has the time for it; and what was begun meanwhile is dropped or ended.
// Method: sources that never yield, drivers that answer late or do not listen, a clock that is moved by hand.
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  createObjectStore,
  type DriverCall,
  type IncompleteUpload,
  MemoryDriver,
  type ObjectStore,
} from "../src/index.ts";
import { FaultyDriver, ManualClock } from "../src/testing/index.ts";

const part = new Uint8Array(1000).fill(7);

async function turns(count = 30): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function uploadsOf(driver: MemoryDriver): Promise<IncompleteUpload[]> {
  const found: IncompleteUpload[] = [];
  for await (const upload of createObjectStore(driver).listIncompleteUploads()) found.push(upload);
  return found;
}

/** A source that gives some pieces and then nothing more, ever. */
class Stuck implements AsyncIterableIterator<Uint8Array> {
  returns = 0;
  #pieces: number;

  constructor(pieces: number) {
    this.#pieces = pieces;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#pieces-- > 0) return Promise.resolve({ done: false, value: part });
    return new Promise(() => {});
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.returns++;
    return new Promise(() => {});
  }
}

describe("a source that is silent", () => {
  test.for([0, 3])("after %d pieces: putStream ends with its signal, and the source is closed", async (pieces) => {
    const memory = new MemoryDriver();
    const store = createObjectStore(memory);
    const source = new Stuck(pieces);
    const stop = new AbortController();
    const putting = store.putStream("k", source, { partBytes: 1000, signal: stop.signal });
    await turns();
    stop.abort();
    await expect(putting).rejects.toMatchObject({ code: "ABORTED", outcome: "none" });
    expect(source.returns).toBe(1);
    await store.close();
    expect(await uploadsOf(memory)).toEqual([]);
  });

  test("putStream ends by its deadline", async () => {
    const clock = new ManualClock();
    const store = createObjectStore(new MemoryDriver(), {}, { clock });
    const putting = store.putStream("k", new Stuck(3), { partBytes: 1000, timeoutMs: 5000 });
    putting.catch(() => {});
    await turns();
    clock.advance(5000);
    await expect(putting).rejects.toMatchObject({ code: "TIMEOUT", outcome: "none" });
    await store.close();
  });

  test("close ends putStream", async () => {
    const memory = new MemoryDriver();
    const store = createObjectStore(memory);
    const source = new Stuck(3);
    const putting = store.putStream("k", source, { partBytes: 1000 });
    putting.catch(() => {});
    await turns();
    await store.close();
    await expect(putting).rejects.toMatchObject({ code: "CLOSED" });
    expect(source.returns).toBe(1);
    expect(await uploadsOf(memory)).toEqual([]);
  });

  test("a stream of Node's is destroyed, though its read never ends", async () => {
    const store = createObjectStore(new MemoryDriver());
    const source = new Readable({ read() {} });
    source.push(part);
    const stop = new AbortController();
    const putting = store.putStream("k", source, { signal: stop.signal });
    await turns();
    stop.abort();
    await expect(putting).rejects.toMatchObject({ code: "ABORTED" });
    expect(source.destroyed).toBe(true);
    await store.close();
  });

  test("deleteMany ends with its signal, and says what it may have done", async () => {
    const store = createObjectStore(new MemoryDriver());
    for (const isSome of [false, true]) {
      await store.put("k", part);
      const keys = (async function* (): AsyncGenerator<string> {
        for (let at = 0; isSome && at < 1000; at++) yield at === 0 ? "k" : `k${at}`;
        await new Promise(() => {});
      })();
      const stop = new AbortController();
      const deleting = store.deleteMany(keys, { signal: stop.signal });
      await turns();
      stop.abort();
      // A batch was deleted, or none.
      await expect(deleting).rejects.toMatchObject({ code: "ABORTED", outcome: isSome ? "unknown" : "none" });
      expect((await store.head("k")) === undefined).toBe(isSome);
    }
    await store.close();
  });

  test("deleteMany between batches says that it may have deleted", async () => {
    const store = createObjectStore(new MemoryDriver());
    await store.put("k0", part);
    const stop = new AbortController();
    const keys = (async function* (): AsyncGenerator<string> {
      for (let at = 0; at < 3000; at++) {
        if (at === 2500) {
          await turns();
          stop.abort();
        }
        yield `k${at}`;
      }
    })();
    await expect(store.deleteMany(keys, { signal: stop.signal })).rejects.toMatchObject({
      code: "ABORTED",
      outcome: "unknown",
    });
    expect(await store.head("k0")).toBeUndefined();
    await store.close();
  });
});

describe("a source of a call that is refused before it begins is closed", () => {
  const refused: Readonly<Record<string, (store: ObjectStore, source: Readable | Stuck) => Promise<unknown>>> = {
    "bad key": (store, source) => store.putStream("../k", source),
    "bad options": (store, source) => store.putStream("k", source, { concurrency: 0 }),
    "signal that fired": (store, source) => store.putStream("k", source, { signal: AbortSignal.abort() }),
    "closed store": async (store, source) => {
      await store.close();
      return store.putStream("k", source);
    },
  };

  test.for(Object.entries(refused))("%s", async ([, call]) => {
    for (const source of [new Readable({ read() {} }), new Stuck(1)]) {
      const store = createObjectStore(new MemoryDriver());
      await expect(call(store, source)).rejects.toMatchObject({ name: "StoreError" });
      expect(source instanceof Readable ? source.destroyed : source.returns === 1).toBe(true);
      await store.close();
    }
  });

  test("and what is no source at all is INVALID_ARGUMENT", async () => {
    const store = createObjectStore(new MemoryDriver());
    for (const source of [undefined, null, 5, {}, "text", new Uint8Array(3)]) {
      await expect(store.putStream("k", source as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    for (const keys of [undefined, null, 5, {}, "abc"]) {
      await expect(store.deleteMany(keys as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    await store.close();
  });
});

/** A driver that does not listen to signals: what it was asked it does, later. */
class LateDriver extends MemoryDriver {
  readonly #late: Promise<void>;
  readonly #calls: readonly string[];
  asked = 0;

  constructor(calls: readonly string[], late: Promise<void>) {
    super();
    this.#calls = calls;
    this.#late = late;
  }

  async #done<T>(name: string, call: DriverCall, run: (deaf: DriverCall) => Promise<T>): Promise<T> {
    if (!this.#calls.includes(name)) return run(call);
    this.asked++;
    await this.#late;
    return run({ signal: new AbortController().signal });
  }

  override beginUpload(...[key, put, call]: Parameters<MemoryDriver["beginUpload"]>): Promise<string> {
    return this.#done("beginUpload", call, (deaf) => super.beginUpload(key, put, deaf));
  }

  override get(...[key, get, call]: Parameters<MemoryDriver["get"]>): ReturnType<MemoryDriver["get"]> {
    return this.#done("get", call, (deaf) => super.get(key, get, deaf));
  }
}

describe("an upload that begins late is dropped", () => {
  const endings: Readonly<Record<string, (store: ObjectStore) => Promise<void>>> = {
    "its signal fired": async (store) => {
      const stop = new AbortController();
      const putting = store.putStream("k", [part, part], { partBytes: 1000, signal: stop.signal });
      putting.catch(() => {});
      await turns();
      stop.abort();
      await expect(putting).rejects.toMatchObject({ code: "ABORTED" });
    },
    "its writer was aborted": async (store) => {
      const writer = store.createWriter("k", { partBytes: 1000 });
      const writing = writer.write(new Uint8Array(2500));
      writing.catch(() => {});
      await turns();
      await writer.abort();
      await expect(writing).rejects.toMatchObject({ name: "StoreError" });
    },
    "its store was closed": async (store) => {
      const putting = store.putStream("k", [part, part], { partBytes: 1000 });
      putting.catch(() => {});
      await turns();
      await store.close();
      await expect(putting).rejects.toMatchObject({ code: "CLOSED" });
    },
  };

  test.for(Object.entries(endings))("%s", async ([, end]) => {
    let begin = (): void => {};
    const late = new Promise<void>((resolve) => (begin = resolve));
    const driver = new LateDriver(["beginUpload"], late);
    const store = createObjectStore(driver);
    await end(store);
    expect(driver.asked).toBe(1);
    begin();
    await turns();
    expect(await uploadsOf(driver)).toEqual([]);
    await store.close();
  });

  test("its answer came after its deadline, and it was begun again", async () => {
    const clock = new ManualClock();
    let begin = (): void => {};
    const late = new Promise<void>((resolve) => (begin = resolve));
    const driver = new LateDriver(["beginUpload"], late);
    const store = createObjectStore(driver, {}, { clock });
    const putting = store.putStream("k", [part, part], { partBytes: 1000 });
    await turns();
    clock.advance(15_000);
    await turns();
    clock.advance(1000);
    await turns();
    begin();
    await putting;
    expect(driver.asked).toBe(2);
    await turns();
    expect(await uploadsOf(driver)).toEqual([]);
    await store.close();
  });

  test("in the very turn in which its writer is aborted", async () => {
    const memory = new MemoryDriver();
    const begin = memory.beginUpload.bind(memory);
    let abort = (): unknown => undefined;
    memory.beginUpload = async (...args) => {
      const id = await begin(...args);
      // Between the answer and who waits for it.
      void Promise.resolve().then(() => Promise.resolve().then(() => abort()));
      return id;
    };
    const store = createObjectStore(memory);
    const writer = store.createWriter("k", { partBytes: 1000 });
    abort = () => writer.abort();
    await writer.write(new Uint8Array(2500)).catch(() => {});
    await store.close();
    expect(await uploadsOf(memory)).toEqual([]);
  });
});

describe("a writer", () => {
  test("whose signal fires while nobody calls it drops its upload", async () => {
    const memory = new MemoryDriver();
    const store = createObjectStore(memory);
    const stop = new AbortController();
    const writer = store.createWriter("k", { partBytes: 1000, signal: stop.signal });
    await writer.write(new Uint8Array(2500));
    stop.abort();
    await turns();
    expect(await uploadsOf(memory)).toEqual([]);
    await expect(writer.commit()).rejects.toMatchObject({ code: expect.stringMatching(/ABORTED|CLOSED/) as string });
    await store.close();
  });

  test("that is being aborted is waited for by close", async () => {
    const memory = new MemoryDriver();
    const store = createObjectStore(memory);
    const writer = store.createWriter("k", { partBytes: 1000 });
    await writer.write(new Uint8Array(2500));
    void writer.abort();
    await store.close();
    expect(await uploadsOf(memory)).toEqual([]);
  });

  test("takes writes in the order in which they were called, awaited or not", async () => {
    const memory = new MemoryDriver();
    const store = createObjectStore(memory);
    const writer = store.createWriter("k", { partBytes: 1000, concurrency: 3 });
    const pieces = Array.from({ length: 12 }, (_, at) => new Uint8Array(750).fill(at));
    const all = await Promise.all([...pieces.map((piece) => writer.write(piece)), writer.commit()]);
    expect(all.at(-1)).toMatchObject({ size: 9000 });
    expect(Buffer.compare(await (await store.get("k")).bytes(), Buffer.concat(pieces))).toBe(0);
    expect(await uploadsOf(memory)).toEqual([]);
    await store.close();
  });

  test("that is written to while it commits refuses", async () => {
    const store = createObjectStore(new MemoryDriver());
    const writer = store.createWriter("k");
    const committing = writer.commit();
    await expect(writer.write(part)).rejects.toMatchObject({ code: "CLOSED" });
    await expect(writer.commit()).rejects.toMatchObject({ code: "CLOSED" });
    expect((await committing).size).toBe(0);
    await store.close();
  });

  test("keeps the reason of its abort", async () => {
    const store = createObjectStore(new MemoryDriver());
    const writer = store.createWriter("k");
    const reason = new Error("changed my mind");
    await writer.abort(reason);
    await expect(writer.write(part)).rejects.toMatchObject({ code: "CLOSED", cause: reason });
    await store.close();
  });
});

test("a body that is opened while the store closes is ended", async () => {
  let open = (): void => {};
  const late = new Promise<void>((resolve) => (open = resolve));
  const driver = new LateDriver(["get"], late);
  const clean = createObjectStore(driver);
  await clean.put("k", new Uint8Array(300_000));
  const store = createObjectStore(driver);
  const getting = store.get("k");
  await turns();
  const closing = store.close();
  open();
  await closing;
  const outcome = await getting
    .then(
      (body) => body.bytes(),
      (error: unknown) => Promise.reject(error as Error),
    )
    .catch((error: unknown) => error);
  expect(outcome).toMatchObject({ code: "CLOSED" });
});

describe("deadlines", () => {
  /** A driver whose copies and completions take as long as their bytes, at 10 MB a second. */
  function slow(clock: ManualClock): MemoryDriver {
    const driver = new MemoryDriver();
    const head = driver.head.bind(driver);
    const copy = driver.copy.bind(driver);
    driver.head = async (key, call) => {
      const info = await head(key, call);
      return info === undefined ? undefined : { ...info, size: 1e9 };
    };
    driver.copy = async (from, to, request, call) => {
      await clock.sleep(100_000, { signal: call.signal });
      return copy(from, to, request, call);
    };
    return driver;
  }

  test("a copy has time for its bytes", async () => {
    const clock = new ManualClock();
    const store = createObjectStore(slow(clock), {}, { clock });
    await store.put("from", part);
    const copying = store.copy("from", "to");
    copying.catch(() => {});
    for (let second = 0; second < 110; second++) {
      await turns(5);
      clock.advance(1000);
    }
    await expect(copying).resolves.toMatchObject({ size: 1e9 });
    await store.close();
  });

  test("a completion has time for its bytes", async () => {
    const clock = new ManualClock();
    const driver = new MemoryDriver();
    const complete = driver.completeUpload.bind(driver);
    driver.completeUpload = async (...args) => {
      await clock.sleep(40_000, { signal: args[4].signal });
      return complete(...args);
    };
    const store = createObjectStore(driver, { bytesPerSecondMin: 100, retry: false }, { clock });
    const putting = store.putStream("k", [new Uint8Array(4000)], { partBytes: 1000 });
    putting.catch(() => {});
    for (let second = 0; second < 60; second++) {
      await turns(5);
      clock.advance(1000);
    }
    await expect(putting).resolves.toMatchObject({ size: 4000 });
    await store.close();
  });

  test("ranges that arrive piece by piece may take longer than a request without a sign of life", async () => {
    const clock = new ManualClock();
    const driver = new MemoryDriver();
    const get = driver.get.bind(driver);
    driver.get = async (key, request, call) => {
      const answer = await get(key, request, call);
      const chunks = (async function* (): AsyncGenerator<Uint8Array> {
        for await (const chunk of answer.chunks) {
          await clock.sleep(10_000, { signal: call.signal });
          yield chunk;
        }
      })();
      return { ...answer, chunks };
    };
    const store = createObjectStore(driver, { retry: false }, { clock });
    await store.put("k", new Uint8Array(300_000));
    const reading = store.getRanges("k", [{ offset: 0, length: 300_000 }]);
    reading.catch(() => {});
    for (let second = 0; second < 100; second++) {
      await turns(5);
      clock.advance(1000);
    }
    expect((await reading)[0]?.byteLength).toBe(300_000);
    await store.close();
  });

  test("an upload whose deadline passed does not wait for the store to forget it", async () => {
    const clock = new ManualClock();
    const memory = new MemoryDriver();
    const driver = new FaultyDriver(memory, (operation) =>
      operation === "uploadPart" || operation === "abortUpload" ? { kind: "hang", after: false } : undefined,
    );
    const store = createObjectStore(driver, {}, { clock });
    const putting = store.putStream("k", [part, part, part], { partBytes: 1000, timeoutMs: 1000 });
    let isOver = false;
    const ended = putting.catch(() => {
      isOver = true;
    });
    await turns();
    clock.advance(1000);
    await turns();
    expect(isOver).toBe(true);
    await ended;
    const closing = store.close();
    for (let second = 0; second < 12; second++) {
      await turns(5);
      clock.advance(1000);
    }
    await closing;
  });
});
