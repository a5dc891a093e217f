// Goal: a misspelt option is refused before anything is sent: `ifabsent` must not become a write without a condition.
// Method: every call with one option too many, on a store that counts requests.
import { expect, test } from "vitest";
import { createObjectStore, MemoryDriver, MemoryFileSystem, type ObjectStore } from "../src/index.ts";

type Options = Record<string, unknown>;

const calls: Readonly<Record<string, (store: ObjectStore, options: Options) => unknown>> = {
  get: (store, options) => store.get("k", options),
  getRanges: (store, options) => store.getRanges("k", [{ offset: 0, length: 1 }], options),
  head: (store, options) => store.head("k", options),
  put: (store, options) => store.put("k", new Uint8Array(1), options),
  putStream: (store, options) => store.putStream("k", [new Uint8Array(1)], options),
  putFile: async (store, options) => {
    const fileSystem = new MemoryFileSystem();
    await (await fileSystem.createFile("f")).close();
    return store.putFile("k", { fileSystem, path: "f" }, options);
  },
  createWriter: async (store, options) => store.createWriter("k", options),
  copy: (store, options) => store.copy("k", "to", options),
  rename: (store, options) => store.rename("k", "to", options),
  delete: (store, options) => store.delete("k", options),
  deleteMany: (store, options) => store.deleteMany(["k"], options),
  list: (store, options) => all(store.list(options)),
  listIncompleteUploads: (store, options) => all(store.listIncompleteUploads(options)),
  abortIncompleteUpload: (store, options) => store.abortIncompleteUpload({ key: "k", uploadId: "u" }, options),
  probe: (store, options) => store.probe(options),
};

async function all(entries: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of entries) continue;
}

test.for(Object.keys(calls))("%s", async (name) => {
  await using store = createObjectStore(new MemoryDriver());
  const { version } = await store.put("k", new Uint8Array(3));
  const attempt = async (options: Options): Promise<unknown> => calls[name]?.(store, options);
  await expect(attempt({ timeoutMS: 5, nonsense: 1 })).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringMatching(
      new RegExp(`^${name}: timeoutMS: not known; did you mean timeoutMs\\?; nonsense: not known; known are `),
    ),
  });
  await expect(attempt(5 as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(await store.head("k")).toMatchObject({ version });
});

test("a condition that is misspelt is no write", async () => {
  await using store = createObjectStore(new MemoryDriver());
  await store.put("k", new Uint8Array(3));
  await expect(store.put("k", new Uint8Array(1), { ifabsent: true } as never)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: "put: ifabsent: not known; did you mean ifAbsent?",
  });
  expect((await store.head("k"))?.size).toBe(3);
});
