/** Goal: the README's example runs as printed and prints what it says. Method: run it, in a directory of its own. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { indexErrorCodes } from "../src/index.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const here = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(here, "README.md"), "utf8");

test("the example", { timeout: 60_000 }, () => {
  const data = join(temporaryDirectory(), "data");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]?.replace('"./data"', JSON.stringify(data)) ?? "";
  expect(example).toContain(JSON.stringify(data));
  // From the package's directory, so that its name means its own dist.
  const run = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", example], { encoding: "utf8", cwd: here });
  expect({ stdout: run.stdout, stderr: run.stderr }).toEqual({ stdout: "rebuilding: first start\narchiving\n", stderr: "" });
});

test("every error code is explained", () => {
  for (const code of indexErrorCodes) expect(readme).toContain(`\`${code}\``);
});
