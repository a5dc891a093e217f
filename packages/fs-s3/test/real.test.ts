// Goal: a store on an S3 endpoint that somebody runs keeps every promise of its settings.
// Method: the conformance suite at VARVE_TEST_S3_URL when that is set, each check in a new folder that is deleted
// afterwards. See docs/testing-object-stores.md.
import { createObjectStore, type ObjectStore, parseStoreUrl, systemClock, systemRandom } from "@varve/fs-core";
import { objectStoreConformance } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { storeBackend } from "../src/index.ts";
import { emptyStore } from "./empty-store.ts";

const {
  VARVE_TEST_S3_URL: url = "",
  VARVE_TEST_S3_ENDPOINT: endpoint = "",
  VARVE_TEST_S3_SETTINGS: text = "",
} = process.env;
const folders = new Map<ObjectStore, string>();

function settings(): Record<string, unknown> {
  return { ...JSON.parse(text === "" ? "{}" : text), ...(endpoint === "" ? {} : { endpoint }) };
}

async function open(folder: string): Promise<ObjectStore> {
  const parts = { clock: systemClock, random: systemRandom };
  return createObjectStore(await storeBackend.open(parseStoreUrl(folder), settings(), parts));
}

async function create(): Promise<ObjectStore> {
  const name = Buffer.from(systemRandom.fill(new Uint8Array(8))).toString("hex");
  const folder = `${url.replace(/\/+$/, "")}/varve-test-${name}`;
  const store = await open(folder);
  folders.set(store, folder);
  return store;
}

/** The suite has closed the store by now: another one of the same folder clears it. */
async function destroy(store: ObjectStore): Promise<void> {
  const cleaner = await open(folders.get(store) ?? "");
  folders.delete(store);
  try {
    await emptyStore(cleaner);
  } finally {
    await cleaner.close();
  }
}

describe.for(url === "" ? [] : [url])("%s", () => {
  objectStoreConformance({ test: (name, body) => test(name, body, 600_000), create, destroy });
});

test.skipIf(url === "")(
  "a check leaves nothing behind (to run it, set VARVE_TEST_S3_URL=s3://bucket/folder)",
  async () => {
    const store = await create();
    const folder = folders.get(store) ?? "";
    const call = { signal: new AbortController().signal };
    await store.put("a", new Uint8Array(1));
    await store.driver.beginUpload("b", { metadata: {}, contentType: "text/plain", checksum: undefined }, call);
    await store.close();
    await destroy(store);
    const again = await open(folder);
    try {
      for await (const entry of again.list()) expect.unreachable(`left: ${JSON.stringify(entry)}`);
      if (!again.capabilities.listUploads) return;
      for await (const upload of again.listIncompleteUploads()) expect.unreachable(`left: ${upload.key}`);
    } finally {
      await again.close();
    }
  },
);
