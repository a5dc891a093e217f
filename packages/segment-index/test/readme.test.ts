/** Goal: the README leaves no error code unexplained. (Its example is run with all others of the repository.) */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { indexErrorCodes } from "../src/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("every error code is explained", () => {
  for (const code of indexErrorCodes) expect(readme).toContain(`\`${code}\``);
});
