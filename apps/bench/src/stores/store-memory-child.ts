/**
 * The measured process of `store-memory`: `URL bucket gib`, prints its result as JSON. It loads one backend, as an
 * application does that uses one.
 */
import { type ObjectStoreDriver, systemClock } from "@varve/fs-core";
import { azureAccount, azureAccountKey, s3Credentials } from "./store-accounts.ts";
import type { BackendName } from "./store-client.ts";
import type { StoreMemoryResult } from "./store-memory.ts";
import { generated } from "./store-work.ts";
import { varveClient } from "./varve-client.ts";

/** Of the resident size. */
const samples = 40;

process.exitCode = await main(process.argv.slice(2));

async function main([name = "", url = "", bucket = "", amount = ""]: readonly string[]): Promise<number> {
  const backend = name as BackendName;
  const gib = Number(amount);
  const varve = varveClient(await openDriver(backend, url, bucket));
  const startMiB = residentMiB();
  const sampledMiB: number[] = [];
  const began = systemClock.monotonicUs();
  await varve.putStream("long", sampled(gib * 2 ** 30, sampledMiB));
  const seconds = (systemClock.monotonicUs() - began) / 1e6;
  await varve.close();
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  const result: StoreMemoryResult = { backend, gib, startMiB, sampledMiB, peakMiB, seconds };
  process.stdout.write(JSON.stringify(result));
  return 0;
}

async function* sampled(bytes: number, sampledMiB: number[]): AsyncGenerator<Uint8Array, void, undefined> {
  let done = 0;
  for await (const piece of generated(bytes)) {
    yield piece;
    done += piece.byteLength;
    if (done >= ((sampledMiB.length + 1) * bytes) / samples) sampledMiB.push(residentMiB());
  }
}

function residentMiB(): number {
  return Math.round(process.memoryUsage.rss() / 2 ** 20);
}

async function openDriver(backend: BackendName, endpoint: string, bucket: string): Promise<ObjectStoreDriver> {
  switch (backend) {
    case "s3": {
      const { createS3Driver } = await import("@varve/fs-s3");
      return createS3Driver({
        bucket,
        endpoint,
        region: "us-east-1",
        credentials: s3Credentials,
        checksumMode: "store",
      });
    }
    case "azure": {
      const { createAzureDriver } = await import("@varve/fs-azure");
      return createAzureDriver({ account: azureAccount, accountKey: azureAccountKey, endpoint, container: bucket });
    }
    case "gcs": {
      const { createGcsDriver } = await import("@varve/fs-gcs");
      return createGcsDriver({ bucket, endpoint });
    }
  }
}
