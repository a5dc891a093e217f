// Goal: a store on Blob Storage keeps every promise of `ObjectStore`.
// Method: the conformance suite against the vendor's emulator, in a folder of a container.
import { createObjectStore } from "@varve/fs-core";
import { objectStoreConformance, type WrapStore, wrappersToTry } from "@varve/fs-core/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { createAzureDriver } from "../src/index.ts";
import { type Azurite, startAzurite } from "./support/azurite.ts";

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const plain: [string, WrapStore] = ["alone", async (store) => store];
describe.each([plain, ...wrappersToTry()])("%s", (name, wrap) => {
  objectStoreConformance({
    isShort: name !== "alone",
    // Thousands of requests to an emulator that is slower than the service.
    test: (name, body) => test(name, body, 600_000),
    create: async () => {
      const { account, accountKey, endpoint } = azurite;
      const container = await azurite.createContainer();
      const settings = { account, accountKey, endpoint, container, prefix: "a folder/100%" };
      return wrap(createObjectStore(createAzureDriver(settings)));
    },
  });
});
