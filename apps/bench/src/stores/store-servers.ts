/** Servers in processes of their own, so that their work is not in the figures of the measured one. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { azureAccount, azureAccountKey } from "./store-accounts.ts";
import { cloudServerChildName } from "./cloud-server-child.ts";
import type { BackendName, StoreServer } from "./store-client.ts";

const bucket = "bench";
/** What the emulator of Azure may hold. It frees nothing while a bench runs. */
const azuriteMiB = 6144;

/**
 * A fresh, empty server.
 * @param discardsBodies it keeps sizes and digests only; not for Azure, whose emulator has no such setting
 */
export async function startStoreServer(backend: BackendName, discardsBodies = false): Promise<StoreServer> {
  if (backend === "azure" && discardsBodies) throw new RangeError("azurite keeps what it is given: choose s3 or gcs");
  return backend === "azure" ? startAzurite() : startCloudServer(backend, discardsBodies);
}

async function startCloudServer(backend: "s3" | "gcs", discardsBodies: boolean): Promise<StoreServer> {
  const args = [cloudServerChildName, backend, bucket, String(discardsBodies)];
  const child = fork(process.argv[1] as string, args, { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const stop = stopping(child);
  const ended = once(child, "exit").then(() => {
    throw new Error("the server ended before it listened");
  });
  const [url] = (await Promise.race([once(child, "message"), ended])) as [string];
  ended.catch(() => undefined);
  return { url, bucket, stop };
}

async function startAzurite(): Promise<StoreServer> {
  const folder = dirname(fileURLToPath(import.meta.resolve("azurite/package.json")));
  const cwd = mkdtempSync(join(tmpdir(), "varve-azurite-"));
  const child = spawn(
    process.execPath,
    [
      // Without this process the channel closes, however this process ended: nothing is left over.
      "--import",
      "data:text/javascript,process.on('disconnect',()=>process.exit())",
      join(folder, "dist/src/blob/main.js"),
      ...["--blobPort", "0", "--inMemoryPersistence", "--extentMemoryLimit", String(azuriteMiB)],
      ...["--skipApiVersionCheck", "--disableTelemetry", "--silent"],
    ],
    { cwd, stdio: ["ignore", "pipe", "inherit", "ipc"] },
  );
  const stopChild = stopping(child);
  const stop = async (): Promise<void> => {
    await stopChild();
    rmSync(cwd, { recursive: true, force: true });
  };
  try {
    const url = `${await firstAddress(child)}/${azureAccount}`;
    const credential = new StorageSharedKeyCredential(azureAccount, azureAccountKey);
    await new BlobServiceClient(url, credential).createContainer(bucket);
    return { url, bucket, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function firstAddress({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error("azurite has no output");
  for await (const line of createInterface({ input: stdout })) {
    const origin = /successfully listens on (http:\S+)/.exec(line)?.[1];
    if (origin === undefined) continue;
    stdout.resume();
    return origin;
  }
  throw new Error("azurite ended before it listened");
}

function stopping(child: ChildProcess): () => Promise<void> {
  const exited = once(child, "exit");
  return async () => {
    child.kill("SIGKILL");
    await exited;
  };
}
