/**
 * Goal: a store over this driver keeps every promise of `ObjectStore`.
 * Method: the conformance suite, against a server that speaks the JSON API, with a token and in a folder.
 */
import { createObjectStore } from "@varve/fs-core";
import { objectStoreConformance, type WrapStore, wrappersToTry } from "@varve/fs-core/testing";
import { type GcsServer, startGcsServer } from "@varve/cloud-servers";
import { describe, test } from "vitest";
import { createGcsDriver } from "../src/gcs-driver.ts";

const plain: WrapStore = async (store) => store;

describe.for([
  ["a bucket", {}, plain],
  ["a folder", { prefix: "top/in ü" }, plain],
  ...wrappersToTry().map(([name, wrap]) => [name, {}, wrap] as const),
] as const)("%s", ([name, settings, wrap]) => {
  const servers: GcsServer[] = [];
  objectStoreConformance({
    isShort: name !== "a bucket",
    test: (name, body) => test(name, body, 300_000),
    async create() {
      const server = await startGcsServer({ buckets: ["bucket"], token: "token" });
      servers.push(server);
      const authClient = { getRequestHeaders: () => Promise.resolve(new Headers({ authorization: "Bearer token" })) };
      const driver = createGcsDriver({ bucket: "bucket", endpoint: server.url, authClient, ...settings });
      return wrap(createObjectStore(driver));
    },
    async destroy() {
      await servers.pop()?.close();
    },
  });
});
