// Goal: a store on Blob Storage keeps every promise of `ObjectStore`.
// Method: the conformance suite against the vendor's emulator, in the root of a container and in a folder.
import { createObjectStore } from "@varve/fs-core";
import { objectStoreConformance } from "@varve/fs-core/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { createAzureDriver } from "../src/index.ts";
import { type Azurite, startAzurite } from "./support/azurite.ts";

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

describe.each([
  ["a container", undefined],
  ["a folder", "a folder/100%"],
])("%s", (_, prefix) => {
  objectStoreConformance({
    test,
    create: async () => {
      const { account, accountKey, endpoint } = azurite;
      const container = await azurite.createContainer();
      const folder = prefix === undefined ? {} : { prefix };
      return createObjectStore(createAzureDriver({ account, accountKey, endpoint, container, ...folder }));
    },
  });
});
