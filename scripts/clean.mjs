// npm run clean: removes everything that a build or a test run made. Dependencies stay.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib/workspace.mjs";

const made = ["dist", ".turbo", "coverage"];
const places = [
  root,
  ...["packages", "apps"].flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name))),
];
for (const place of places) {
  for (const name of made) rmSync(join(place, name), { recursive: true, force: true });
}
