/**
 * Goal: a store over this driver keeps every promise of `ObjectStore`.
 * Method: the conformance suite, against a server that speaks the JSON API, with a token and in a folder.
 */
import { createObjectStore } from "@varve/fs-core";
import { objectStoreConformance } from "@varve/fs-core/testing";
import { type GcsServer, startGcsServer } from "@varve/cloud-servers";
import { describe, test } from "vitest";
import { createGcsDriver } from "../src/gcs-driver.ts";

describe.for([
  ["a bucket", {}],
  ["a folder", { prefix: "top/in ü" }],
] as const)("%s", ([, settings]) => {
  const servers: GcsServer[] = [];
  objectStoreConformance({
    test,
    async create() {
      const server = await startGcsServer({ buckets: ["bucket"], token: "token" });
      servers.push(server);
      const authClient = { getRequestHeaders: () => Promise.resolve(new Headers({ authorization: "Bearer token" })) };
      const driver = createGcsDriver({ bucket: "bucket", endpoint: server.url, authClient, ...settings });
      return createObjectStore(driver);
    },
    async destroy() {
      await servers.pop()?.close();
    },
  });
});
