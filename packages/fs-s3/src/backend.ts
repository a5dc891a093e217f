import { StoreError, type StoreBackend } from "@varve/fs-core";
import { createS3Driver } from "./s3-driver.ts";
import type { S3Settings } from "./s3-settings.ts";

/** `s3://bucket/folder` for the registry of stores. Settings: {@link S3Settings} without `bucket` and `prefix`. */
export const storeBackend: StoreBackend = {
  name: "s3",
  async open(url, settings, parts) {
    const misplaced = ["bucket", "prefix"].filter((name) => name in settings);
    if (misplaced.length > 0) {
      throw new StoreError("INVALID_ARGUMENT", `s3 settings: ${misplaced.join(", ")}: given by the URL; leave it out`);
    }
    // What the settings really are is checked there.
    const given = { ...settings, bucket: url.bucket, prefix: url.path } as S3Settings;
    return createS3Driver(given, { random: parts.random });
  },
};
