/** Goal: the README's example runs and prints what it says. Method: run it, in an empty directory. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryDirectory } from "./child.ts";

test("the example", { timeout: 30_000 }, async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts run\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const printed = /console\.log\(.*\); \/\/ (.*)/.exec(example)?.[1];
  const source = example.replaceAll(
    '"@varve/fs-core"',
    JSON.stringify(new URL("../src/index.ts", import.meta.url).href),
  );
  const options = { cwd: await temporaryDirectory() };
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", source],
    options,
  );
  expect([stdout, stderr]).toEqual([`${printed}\n`, ""]);
});
