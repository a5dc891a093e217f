/**
 * Goal: `verify` finds damage and says where, `repair` never loses what it was not told to lose, and both say it in
 * their exit codes.
 * Method: closed logs with a byte flipped, a torn tail, a newer version, in the files themselves.
 */
import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc64Nvme } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { bash, jsonError, lines, newLog, spawned, start, text, varve } from "./varve.ts";

/** A closed log of 100 records in one segment. */
async function closedLog(): Promise<{ log: string; segment: string }> {
  const log = await newLog();
  await text(["append", log], lines(1, 100));
  return { log, segment: join(log, "segment_00000000000000000001.log") };
}

async function flipByte(file: string, offset: number): Promise<void> {
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  await writeFile(file, bytes);
}

/** The byte in the middle of record `id`'s payload. */
async function payloadOffset(segment: string, id: number): Promise<number> {
  // The last place: behind "record 4" stands a checksum, whose first byte may well be a "0".
  return (await readFile(segment)).lastIndexOf(`record ${id}`) + 3;
}

describe("verify", () => {
  test("a sound log ends with 0", async () => {
    const { log } = await closedLog();
    expect(await text(["verify", log])).toMatch(/^ok: 100 records, ids 1\.\.100, .* in 1 segment\n$/);
    expect(JSON.parse(await text(["verify", log, "--json"]))).toMatchObject({
      ok: true,
      records: 100,
      problems: [],
      notes: [],
    });
  });

  test("a flipped byte ends with 5, the record named and the next step shown", async () => {
    const { log, segment } = await closedLog();
    await flipByte(segment, await payloadOffset(segment, 40));
    const [plain, json, read] = await Promise.all([
      spawned(["verify", log]),
      varve(["verify", log, "--json"]),
      spawned(["cat", log, "--json"]),
    ]);
    expect(plain).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("varve repair"),
    });
    expect(plain.stdout.toString()).toMatch(/^problem: record 40 .* \[CORRUPTED_RECORD\]\n1 problem: /);
    expect({ code: json.code, stderr: json.stderr }).toEqual({ code: 5, stderr: "" });
    expect(JSON.parse(json.stdout.toString())).toMatchObject({
      ok: false,
      problems: [{ code: "CORRUPTED_RECORD", recordId: 40, segmentId: 1 }],
    });
    // Reading gives what is sound before it, then the same exit code.
    expect(read.code).toBe(5);
    expect(
      read.stdout
        .toString()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).id)
        .at(-1),
    ).toBe(39);
    expect(jsonError(read.stderr)).toMatchObject({
      code: "CORRUPTED_RECORD",
      recordId: 40,
      hint: expect.stringContaining("varve verify"),
    });
  });

  test("damage in two places is listed twice", async () => {
    const log = await newLog();
    await text(["append", log, "--segment-size", "4096"], lines(1, 200));
    const segments = (await readdir(log)).filter((name) => name.endsWith(".log")).sort();
    expect(segments.length).toBeGreaterThan(2);
    for (const name of segments.slice(0, 2)) await flipByte(join(log, name), 200);
    const { code, stdout } = await varve(["verify", log, "--json"]);
    expect(code).toBe(5);
    const { problems } = JSON.parse(stdout.toString()) as { problems: { path: string }[] };
    expect(new Set(problems.map((problem) => problem.path))).toEqual(new Set(segments.slice(0, 2)));
  });

  test("a newer version is not damage: 3", async () => {
    const { log } = await closedLog();
    const manifest = join(log, "MANIFEST");
    const bytes = await readFile(manifest);
    bytes.writeUInt16LE(2, 8);
    bytes.writeBigUInt64LE(crc64Nvme(bytes.subarray(0, 120)), 120);
    await writeFile(manifest, bytes);
    expect((await varve(["cat", log])).code).toBe(3);
    const { code, stdout } = await varve(["verify", log, "--json"]);
    expect({
      code,
      codes: JSON.parse(stdout.toString()).problems.map((problem: { code: string }) => problem.code),
    }).toEqual({ code: 3, codes: ["FORMAT_TOO_NEW"] });
  });

  test("a missing MANIFEST and a missing segment are damage", async () => {
    const first = await closedLog();
    await rm(join(first.log, "MANIFEST"));
    expect((await varve(["verify", first.log])).code).toBe(5);
    const second = await closedLog();
    await rm(second.segment);
    expect((await varve(["verify", second.log])).code).toBe(5);
  });
});

describe("repair", () => {
  test("a sound log stays as it is", async () => {
    const { log } = await closedLog();
    const before = await text(["cat", log, "--json"]);
    expect(await text(["repair", log])).toBe("there was nothing to cut or to tidy up\nthe log holds ids 1..100\n");
    expect(await text(["cat", log, "--json"])).toBe(before);
  });

  test("a torn tail is cut, kept and named", async () => {
    const log = await newLog();
    const writer = start("append", log, "--ack");
    writer.process.stdin.write(lines(1, 10));
    await writer.until((printed) => printed.endsWith("10\n"));
    writer.process.kill("SIGKILL");
    await writer.end();
    const segments = JSON.parse(await text(["segments", log, "--json"])) as { path: string; dataBytes: number }[];
    const file = join(log, segments.at(-1)?.path ?? "");
    const bytes = await readFile(file);
    await writeFile(file, Buffer.concat([bytes.subarray(0, segments.at(-1)?.dataBytes), Buffer.alloc(100, 0xab)]));
    expect(await text(["verify", log])).toMatch(/^note: .*torn/);

    const { code, stdout } = await varve(["repair", log, "--json"]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout.toString()) as {
      kept: string[];
      recovery: { tornTail: { bytes: number }; lost: unknown[] };
    };
    expect(report).toMatchObject({
      recovery: { outcome: "recovered", lost: [], tornTail: { firstCutId: 11, keptAs: report.kept[0] } },
    });
    expect((await readFile(join(log, report.kept[0] ?? ""))).includes(Buffer.alloc(100, 0xab))).toBe(true);
    expect(await text(["cat", log])).toBe(lines(1, 10));
  });

  test("damage is refused by default, changes nothing, and leads on to salvage", async () => {
    const { log, segment } = await closedLog();
    await flipByte(segment, await payloadOffset(segment, 40));
    const damaged = await readFile(segment);
    const { code, stderr } = await varve(["repair", log]);
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining("--mode salvage") });
    expect((await readFile(segment)).equals(damaged)).toBe(true);
  });

  test("a salvage asks; with nobody to ask it changes nothing", async () => {
    const { log, segment } = await closedLog();
    await flipByte(segment, await payloadOffset(segment, 40));
    const damaged = await readFile(segment);
    const { code, stderr } = await varve(["repair", log, "--mode", "salvage", "--json"], "yes\n");
    expect(code).toBe(1);
    expect(jsonError(stderr)).toMatchObject({ code: "NOT_CONFIRMED", hint: expect.stringContaining("--yes") });
    expect((await readFile(segment)).equals(damaged)).toBe(true);
  });

  test("a salvage that was confirmed keeps all other records and the damaged file", async () => {
    const { log, segment } = await closedLog();
    await flipByte(segment, await payloadOffset(segment, 40));
    const damaged = await readFile(segment);
    const { code, stdout } = await spawned(["repair", log, "--mode", "salvage", "--yes"]);
    expect(code).toBe(0);
    const kept = /^kept: (.*)$/m.exec(stdout.toString())?.[1] ?? "";
    expect(stdout.toString()).toMatch(/^lost record 40: /m);
    expect(stdout.toString()).toContain("the log holds ids 1..100, 1 of them lost\n");
    expect((await readFile(join(log, kept))).equals(damaged)).toBe(true);
    expect(await text(["cat", log])).toBe(lines(1, 39) + lines(41, 100));
    expect((await varve(["get", log, "40"])).code).toBe(5);
    expect(await text(["append", log, "--ack"], "more\n")).toBe("101\n");
  });

  test.runIf(process.platform === "linux")("on a terminal the answer decides", async () => {
    const { log, segment } = await closedLog();
    await flipByte(segment, await payloadOffset(segment, 40));
    // `script` gives the command a terminal; the function is written out because it starts a shell of its own.
    const ask = (answer: string): ReturnType<typeof bash> =>
      bash(
        `{ sleep 0.5; echo ${answer}; } | script -qec "$(declare -f varve); varve repair '$1' --mode salvage" /dev/null`,
        log,
      );
    const no = await ask("no");
    expect(no.stdout.toString()).toMatch(/problem: record 40 [^]*Type yes: [^]*nothing was changed \[NOT_CONFIRMED\]/);
    expect(no.code).toBe(1);
    const yes = await ask("yes");
    expect(yes.stdout.toString()).toContain("lost record 40");
    expect(yes.code).toBe(0);
  });

  test("an unknown mode is refused", async () => {
    const { log } = await closedLog();
    expect(await varve(["repair", log, "--mode", "pray"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--mode"),
    });
  });
});

test("a stranger's file in the directory is noted and left alone", async () => {
  const { log } = await closedLog();
  await appendFile(join(log, "notes.txt"), "mine");
  expect(await text(["verify", log])).toMatch(/^note: notes\.txt /);
  await text(["repair", log]);
  expect(await readFile(join(log, "notes.txt"), "utf8")).toBe("mine");
});
