/** Goal: the README's example runs and prints what it says. Method: run it, against a server that speaks the JSON API. */
import { startGcsServer } from "@varve/cloud-servers";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

test("the example", async () => {
  const server = await startGcsServer({ buckets: ["records"] });
  onTestFinished(() => server.close());
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts run\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const printed = /console\.log\(.*\); \/\/ (.*)/.exec(example)?.[1];
  const source = example.replace("@varve/fs-gcs", import.meta.resolve("../dist/index.js"));
  const options = {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, GCS_ENDPOINT: server.url },
  };
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", source],
    options,
  );
  expect([stdout, stderr]).toEqual([`${printed}\n`, ""]);
});
