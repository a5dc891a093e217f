/**
 * Goal: the README shows what the command really prints.
 * Method: every command of its console blocks, run in order in one directory; only times, durations and the kind of index
 * may differ.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bash, temporaryDirectory } from "./varve.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

interface Shown {
  readonly command: string;
  readonly output: string;
}

function shownCommands(): Shown[] {
  const blocks = [...readme.matchAll(/^```console\n([^]*?)^```$/gm)].map((match) => match[1] ?? "");
  return blocks
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((part) => {
      const [command = "", ...output] = part.trimEnd().split("\n");
      return { command, output: output.join("\n") };
    });
}

function withoutTimes(output: string): string {
  return output
    .trimEnd()
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]{8}(\.\d{6})?Z/g, "TIME")
    .replaceAll(/"timestampUs":\d+/g, '"timestampUs":TIME')
    .replaceAll(/\(.* records\/s\)/g, "(RATE)")
    .replaceAll(/(index +)(lmdb|file)$/gm, "$1KIND");
}

test("every shown command prints what is shown", async () => {
  const place = await temporaryDirectory();
  const commands = shownCommands();
  expect(commands.length).toBeGreaterThan(9);
  for (const { command, output } of commands) {
    const { stdout, stderr } = await bash(`cd '${place}' && { ${command}; } 2>&1`);
    expect(stderr).toBe("");
    expect(withoutTimes(stdout.toString()), command).toBe(withoutTimes(output));
  }
});
