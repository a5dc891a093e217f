import { StoreError, type StoreBackend } from "@varve/fs-core";
import { createGcsDriver } from "./gcs-driver.ts";
import type { GcsSettings } from "./gcs-settings.ts";

/** `gs://bucket/folder` for the registry of stores. Settings: {@link GcsSettings} without `bucket` and `prefix`. */
export const storeBackend: StoreBackend = {
  name: "gcs",
  async open(url, settings, parts) {
    const misplaced = ["bucket", "prefix"].filter((name) => name in settings);
    if (misplaced.length > 0) {
      throw new StoreError("INVALID_ARGUMENT", `gcs settings: ${misplaced.join(", ")}: given by the URL; leave it out`);
    }
    // What the settings really are is checked there.
    const given = { ...settings, bucket: url.bucket, prefix: url.path } as GcsSettings;
    return createGcsDriver(given, parts);
  },
};
