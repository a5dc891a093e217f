import { openAzurePair } from "./azure-pair.ts";
import { openGcsPair } from "./gcs-pair.ts";
import { openS3Pair } from "./s3-pair.ts";
import { type BackendName, backends, type StorePair, type StoreServer } from "./store-client.ts";

/**
 * Both sides on `server`. The caller closes both.
 * @param isChecked Azure's client is asked for checksums; the others make them by default
 */
export function openPair(backend: BackendName, server: StoreServer, isChecked = false): StorePair {
  if (isChecked && backend !== "azure")
    throw new RangeError("--checked: only for azure; the other clients check anyway");
  switch (backend) {
    case "s3":
      return openS3Pair(server);
    case "azure":
      return openAzurePair(server, isChecked);
    case "gcs":
      return openGcsPair(server);
  }
}

/** @throws RangeError */
export function parseBackend(name: string): BackendName {
  const found = backends.find((each) => each === name);
  if (found === undefined) throw new RangeError(`--backend: got ${name}, want one of ${backends.join(", ")}`);
  return found;
}
