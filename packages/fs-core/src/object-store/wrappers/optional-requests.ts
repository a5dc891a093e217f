/** The requests that not every driver has. */
import type { ObjectStoreDriver } from "../object-driver.ts";

type Name = "uploadPartCopy" | "rename" | "deleteMany" | "listUploadsPage";

/** Those of `driver`, bound to it; undefined where it has none. */
export type OptionalRequests = { readonly [K in Name]: ObjectStoreDriver[K] };

export function optionalRequests(driver: ObjectStoreDriver): OptionalRequests {
  return {
    uploadPartCopy: driver.uploadPartCopy?.bind(driver),
    rename: driver.rename?.bind(driver),
    deleteMany: driver.deleteMany?.bind(driver),
    listUploadsPage: driver.listUploadsPage?.bind(driver),
  };
}
