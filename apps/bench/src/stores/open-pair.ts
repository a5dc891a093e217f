import { openAzurePair } from "./azure-pair.ts";
import { openGcsPair } from "./gcs-pair.ts";
import { openS3Pair } from "./s3-pair.ts";
import { type BackendName, backends, type StorePair, type StoreServer } from "./store-client.ts";

/** Both sides on `server`. The caller closes both. */
export function openPair(backend: BackendName, server: StoreServer): StorePair {
  const open = { s3: openS3Pair, azure: openAzurePair, gcs: openGcsPair }[backend];
  return open(server);
}

/** @throws RangeError */
export function parseBackend(name: string): BackendName {
  const found = backends.find((each) => each === name);
  if (found === undefined) throw new RangeError(`--backend: got ${name}, want one of ${backends.join(", ")}`);
  return found;
}
