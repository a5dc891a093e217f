/**
 * Goal: without credentials in the settings the machine's own are used, and that they are missing is said so.
 * Method: Google's library itself, in processes whose environment names a key file or nothing; its token endpoint cannot
 * be chosen, so what it was about to ask shows in the error.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const driverModule = new URL("../dist/index.js", import.meta.url).href;

/** What `head` says in a process with `environment`, and what the process prints besides. */
async function headIn(environment: Readonly<Record<string, string>>): Promise<{ said: unknown; stderr: string }> {
  const home = await mkdtemp(join(tmpdir(), "varve-gcs-"));
  onTestFinished(() => rm(home, { recursive: true }));
  const source = `
    const { createGcsDriver } = await import(${JSON.stringify(driverModule)});
    const driver = createGcsDriver({ bucket: "bucket", projectId: "project" });
    const error = await driver.head("a", { signal: new AbortController().signal }).catch((thrown) => thrown);
    await driver.close();
    const { code, outcome, message, cause } = error;
    console.log(JSON.stringify({ code, outcome, message, cause: cause?.message }));`;
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, METADATA_SERVER_DETECTION: "none", ...environment };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", source], {
    env,
  });
  return { said: JSON.parse(stdout), stderr };
}

test("nothing is found", { timeout: 60_000 }, async () => {
  const { said, stderr } = await headIn({});
  expect(said).toMatchObject({ code: "UNAUTHENTICATED", outcome: "none" });
  expect(said).toMatchObject({ cause: expect.stringContaining("Could not load the default credentials") });
  expect(stderr).toBe("");
});

test("a key file is named", { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "varve-gcs-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "key.json");
  // A key that is none: the library finds the file and fails to sign, before it asks anybody.
  await writeFile(path, JSON.stringify({ type: "service_account", client_email: "e@x", private_key: "no key" }));
  const { said, stderr } = await headIn({ GOOGLE_APPLICATION_CREDENTIALS: path });
  expect(said).toMatchObject({ code: "UNAUTHENTICATED", outcome: "none" });
  expect(JSON.stringify(said)).not.toContain("Could not load the default credentials");
  expect(stderr).toBe("");
});
