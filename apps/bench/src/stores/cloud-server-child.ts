/** The other process of the store benches: a server for S3 or Cloud Storage. It ends with the process that started it. */
import { startGcsServer, startS3Server } from "@varve/cloud-servers";
import { s3Credentials } from "./store-accounts.ts";

/** How `main.ts` is asked for it. */
export const cloudServerChildName = "cloud-server-child";

/** Sends where it listens as its one message. @param args `s3` or `gcs`, the bucket, `true` to drop what bodies hold */
export async function cloudServerChild([backend, bucket = "", discards]: readonly string[]): Promise<number> {
  const disconnected = new Promise<void>((resolve) => process.once("disconnect", () => resolve()));
  const discardBodies = discards === "true";
  const server =
    backend === "gcs"
      ? await startGcsServer({ buckets: [bucket], discardBodies })
      : await startS3Server({ buckets: [bucket], discardBodies, credentials: s3Credentials, requestsMax: 0 });
  process.send?.(server.url);
  await disconnected;
  await server.close();
  return 0;
}
