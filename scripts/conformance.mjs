// npm run conformance [-- --radosgw]: the conformance suite of object stores against servers that somebody else wrote.
//
// Without a flag, those that the environment names (docs/testing-object-stores.md says how). With --radosgw, the S3 gateway
// of Ceph, started here from Debian's packages and thrown away afterwards: first what the probe finds when it asks for
// everything, then the suite with settings that promise what was found. Exit code 2: nothing to run, or packages are missing.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { build } from "./lib/build.mjs";
import { runForeground } from "./lib/foreground.mjs";
import { setUp } from "./lib/setup.mjs";
import { root, say, toolEnvironment } from "./lib/workspace.mjs";

/** Which test each variable gives a store. */
const testsByVariable = {
  VARVE_TEST_S3_URL: "packages/fs-s3/test/real.test.ts",
  VARVE_TEST_AZURE_URL: "packages/fs-azure/test/real.test.ts",
  VARVE_TEST_GCS_URL: "packages/fs-gcs/test/real.test.ts",
};

/** What radosgw 16 keeps: the table is in docs/testing-object-stores.md. */
const radosgwSettings = {
  forcePathStyle: true,
  checksumMode: "metadata",
  etagQuotes: "bare",
  conditions: { completeIfAbsent: false, copyIfAbsent: false, completeIfMatch: false, deleteIfMatch: false },
};

const bucket = "varve-conformance";
const args = process.argv.slice(2);

if (args.some((argument) => argument !== "--radosgw")) {
  say("usage: npm run conformance [-- --radosgw]");
  process.exitCode = 2;
} else {
  process.exitCode = args.length > 0 ? await againstRadosgw() : await againstEnvironment();
}

async function againstEnvironment() {
  const tests = Object.entries(testsByVariable).flatMap(([name, test]) => (process.env[name] ? [test] : []));
  if (tests.length === 0) {
    say(`set ${Object.keys(testsByVariable).join(", ")} or one of them: docs/testing-object-stores.md`);
    return 2;
  }
  setUp();
  return (await build()) || runTests(tests, {});
}

async function againstRadosgw() {
  const node = setUp();
  const built = await build(["@varve/cloud-servers", "@varve/fs-s3"]);
  if (built !== 0) return built;
  const credentials = { accessKeyId: "VARVE", secretAccessKey: randomBytes(20).toString("hex") };
  const main = join(root, "apps", "cloud-servers", "dist", "main.js");
  const keys = ["--access-key-id", credentials.accessKeyId, "--secret-access-key", credentials.secretAccessKey];
  // In a group of its own: a Ctrl-C reaches it through us, when the tests have ended.
  const server = spawn(node, [main, "radosgw", "--bucket", bucket, ...keys], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(server, "exit");
  let isEnding = false;
  // Once: a second signal would end it in the middle of its clearing up.
  const end = () => {
    if (!isEnding) server.kill("SIGTERM");
    isEnding = true;
  };
  let interrupted = 0;
  const stop = (/** @type {NodeJS.Signals} */ signal) => {
    interrupted = signal === "SIGINT" ? 130 : 143;
    end();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    const endpoint = await firstLine(server);
    if (endpoint === undefined) return interrupted || (await exited)[0] || 1;
    process.stdout.write(`radosgw is at ${endpoint}\n`);
    await printProbe({ bucket, endpoint, credentials });
    if (interrupted !== 0) return interrupted;
    const code = await runTests([testsByVariable.VARVE_TEST_S3_URL], {
      VARVE_TEST_S3_URL: `s3://${bucket}`,
      VARVE_TEST_S3_ENDPOINT: endpoint,
      VARVE_TEST_S3_SETTINGS: JSON.stringify(radosgwSettings),
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: "",
    });
    return interrupted || code;
  } catch (error) {
    // The probe's requests fail when a signal ends the server under it.
    if (interrupted !== 0) return interrupted;
    throw error;
  } finally {
    end();
    await exited;
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/**
 * Where the server listens, or nothing when it ended before.
 * @param {import("node:child_process").ChildProcess} server
 * @returns {Promise<string | undefined>}
 */
async function firstLine(server) {
  const lines = createInterface({ input: /** @type {import("node:stream").Readable} */ (server.stdout) });
  for await (const line of lines) return line;
  return undefined;
}

/**
 * What the server keeps when everything is asked of it, versions in both forms.
 * @param {Record<string, unknown>} settings
 */
async function printProbe(settings) {
  const packageOf = (/** @type {string} */ name) =>
    pathToFileURL(join(root, "packages", name, "dist", "index.js")).href;
  const { createObjectStore } = await import(packageOf("fs-core"));
  const { createS3Driver } = await import(packageOf("fs-s3"));
  for (const etagQuotes of ["quoted", "bare"]) {
    for (const checksumMode of ["store", "metadata"]) {
      const store = createObjectStore(createS3Driver({ ...settings, etagQuotes, checksumMode }));
      try {
        const report = { etagQuotes, checksumMode, ...(await store.probe()) };
        process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
      } finally {
        await store.close();
      }
    }
  }
}

/**
 * @param {readonly string[]} tests
 * @param {Record<string, string>} variables
 */
function runTests(tests, variables) {
  const env = { ...toolEnvironment(), ...variables };
  return runForeground("vitest", ["run", "--config", "scripts/config/vitest.config.ts", ...tests], { cwd: root, env });
}
