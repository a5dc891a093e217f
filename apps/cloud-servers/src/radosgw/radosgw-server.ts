/**
 * The S3 gateway of Ceph, as Debian packages it, before a cluster of one in a temporary directory: a server that nobody of
 * us wrote. Its objects are in memory, and everything is gone when it closes.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, systemClock, systemRandom } from "@varve/fs-core";
import type { S3Credentials } from "../s3/sigv4/verify.ts";
import type { StartedServer } from "../server-command.ts";
import { cephConfig, monitorAddress } from "./ceph-config.ts";
import { assertInstalled, CephProcesses } from "./ceph-processes.ts";
import { createBucket } from "./create-bucket.ts";

/** How to start a gateway. */
export interface RadosgwOptions {
  /** Of the one user that there is. */
  readonly credentials: S3Credentials;
  /** Buckets that exist. */
  readonly buckets: readonly string[];
  /** How long a start may take, all steps together, in milliseconds. Default 120,000. */
  readonly startTimeoutMs?: number;
  /** Stops a start. */
  readonly signal?: AbortSignal;
}

/**
 * Takes about 15 seconds.
 * @throws MissingProgramError when Debian's packages are not there; Error when a step fails or all take too long
 */
export async function startRadosgw(options: RadosgwOptions): Promise<StartedServer> {
  const { startTimeoutMs = 120_000, signal: stop = new AbortController().signal } = options;
  assertInstalled();
  const directory = await mkdtemp(join(tmpdir(), "varve-radosgw-"));
  const processes = new CephProcesses(directory);
  const close = async (): Promise<void> => {
    await processes.close();
    await rm(directory, { recursive: true, force: true });
  };
  const timeout = new AbortController();
  const timer = systemClock.after(startTimeoutMs, () => {
    timeout.abort(new Error(`radosgw did not start within ${startTimeoutMs} ms`));
  });
  try {
    const port = await startCluster(directory, processes, options, AbortSignal.any([stop, timeout.signal]));
    return { url: `http://127.0.0.1:${port}`, host: "127.0.0.1", port, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    timer.cancel();
  }
}

async function startCluster(
  directory: string,
  processes: CephProcesses,
  { credentials, buckets }: RadosgwOptions,
  signal: AbortSignal,
): Promise<number> {
  const [clusterId, storeId] = [newUuid(systemRandom), newUuid(systemRandom)];
  const [monitorPort, gatewayPort] = await freePorts();
  const run = (program: string, ...args: string[]): Promise<string> => processes.run(signal, program, ...args);
  const inCluster = ["-c", join(directory, "ceph.conf")];
  await writeFile(join(directory, "ceph.conf"), cephConfig({ directory, clusterId, monitorPort, gatewayPort }));
  for (const name of ["mon", "osd", "rgw"]) await mkdir(join(directory, name));

  await run("ceph-authtool", "-C", "keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *");
  const all = ["--cap", "mon", "allow *", "--cap", "osd", "allow *"];
  await run("ceph-authtool", "keyring", "--gen-key", "-n", "client.admin", ...all);
  const ofStore = ["--cap", "mon", "allow profile osd", "--cap", "osd", "allow *"];
  await run("ceph-authtool", "keyring", "--gen-key", "-n", "osd.0", ...ofStore);
  await run("monmaptool", "--create", "--fsid", clusterId, "--addv", "a", monitorAddress(monitorPort), "monmap");
  await run("ceph-mon", ...inCluster, "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring");
  processes.start("ceph-mon", ...inCluster, "-i", "a", "-f");
  await run("ceph", ...inCluster, "osd", "new", storeId);
  await run("ceph-osd", ...inCluster, "-i", "0", "--mkfs", "--osd-uuid", storeId, "--no-mon-config");
  processes.start("ceph-osd", ...inCluster, "-i", "0", "-f");
  processes.start("radosgw", ...inCluster, "-n", "client.admin", "-f");
  const { accessKeyId, secretAccessKey } = credentials;
  const keys = ["--access-key", accessKeyId, "--secret-key", secretAccessKey];
  await run("radosgw-admin", ...inCluster, "user", "create", "--uid", "varve", "--display-name", "varve", ...keys);

  const url = `http://127.0.0.1:${gatewayPort}`;
  await processes.whileAlive(untilListening(url, signal));
  for (const bucket of buckets) await processes.whileAlive(createBucket(url, bucket, credentials, signal));
  return gatewayPort;
}

async function untilListening(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const response = await fetch(url, { signal }).catch(() => undefined);
    await response?.body?.cancel();
    if (response !== undefined) return;
    await systemClock.sleep(100, { signal });
  }
}

/** Of version 4, as RFC 9562 writes it. */
function newUuid(random: Random): string {
  const hex = Buffer.from(random.fill(new Uint8Array(16))).toString("hex");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
}

/** Two that are free now; the programs cannot take one that the system chooses. */
async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = servers.map(async (server) => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  });
  const [first = 0, second = 0] = await Promise.all(ports);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return [first, second];
}
