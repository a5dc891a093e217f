/** A blob service in memory, as a process of its own that ends with this one, on a port that the system chose. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";

export interface Azurite {
  readonly account: string;
  readonly accountKey: string;
  readonly endpoint: string;
  /** A client of the vendor's, to look at what the driver did from the other side. */
  readonly service: BlobServiceClient;
  /** A container that no other test has. */
  createContainer(): Promise<string>;
  stop(): Promise<void>;
}

/** The emulator's account, the same everywhere. */
const account = "devstoreaccount1";
const accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export async function startAzurite(): Promise<Azurite> {
  const folder = dirname(fileURLToPath(import.meta.resolve("azurite/package.json")));
  const cwd = await mkdtemp(join(tmpdir(), "varve-azurite-"));
  const child = spawn(
    process.execPath,
    [
      // Without this process the channel closes, however this process ended: nothing is left over.
      "--import",
      "data:text/javascript,process.on('disconnect',()=>process.exit())",
      join(folder, "dist/src/blob/main.js"),
      ...["--blobPort", "0", "--inMemoryPersistence", "--extentMemoryLimit", "512"],
      ...["--skipApiVersionCheck", "--disableTelemetry", "--silent"],
    ],
    { cwd, stdio: ["ignore", "pipe", "inherit", "ipc"] },
  );
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    await rm(cwd, { recursive: true, force: true });
  };
  try {
    const { stdout } = child;
    if (stdout === null) throw new Error("azurite has no output");
    const lines = createInterface({ input: stdout });
    let origin: string | undefined;
    for await (const line of lines) {
      origin = /successfully listens on (http:\S+)/.exec(line)?.[1];
      if (origin !== undefined) break;
    }
    if (origin === undefined) throw new Error("azurite ended before it listened");
    stdout.resume();
    const endpoint = `${origin}/${account}`;
    const service = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(account, accountKey));
    let containers = 0;
    return {
      account,
      accountKey,
      endpoint,
      service,
      async createContainer() {
        const name = `test-${++containers}`;
        await service.createContainer(name);
        return name;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
