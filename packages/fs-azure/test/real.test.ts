// Goal: a store in a storage account that somebody runs keeps every promise of its settings.
// Method: the conformance suite at VARVE_TEST_AZURE_URL when that is set, each check in a new folder that is deleted
// afterwards. See docs/testing-object-stores.md.
import { parseStoreUrl } from "@varve/fs-core";
import { realStoreConformance } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { storeBackend } from "../src/index.ts";

const {
  VARVE_TEST_AZURE_URL: url = "",
  AZURE_STORAGE_CONNECTION_STRING: connectionString,
  VARVE_TEST_AZURE_SETTINGS: text = "",
} = process.env;

test.skipIf(url === "")(
  "the URL is one of this backend's (to run the suite, set VARVE_TEST_AZURE_URL=az://account/container/folder)",
  () => {
    expect(parseStoreUrl(url).backend).toBe("azure");
  },
);

describe.for(url === "" ? [] : [url])("%s", () => {
  realStoreConformance({
    test: (name, body) => test(name, body, 600_000),
    backend: storeBackend,
    url,
    settings: { connectionString, ...JSON.parse(text === "" ? "{}" : text) },
  });
});
