/**
 * Goal: what goes into `append` is in the log, byte for byte, and what it refuses is refused as a whole with its place.
 * Method: the built command in real pipes, read back by `cat` and by the library.
 */
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openReadOnly } from "@varve/aof";
import { SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { bash, jsonError, lines, newLog, spawned, start, temporaryDirectory, text, varve } from "./varve.ts";

/** Frames of bytes that no text could carry: NULs, newlines, invalid UTF-8, empty ones, one above every buffer. */
function binaryFrames(): Buffer {
  const random = new SeededRandom(1);
  const records = [
    Buffer.alloc(0),
    Buffer.from([0]),
    Buffer.from("a\nb\r\n"),
    Buffer.from([0xff, 0xfe, 0x80]),
    Buffer.from(random.fill(new Uint8Array(300_000))),
  ];
  for (let size = 1; size < 400; size += 7) records.push(Buffer.from(random.fill(new Uint8Array(size))));
  return Buffer.concat(
    records.map((record) => {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32LE(record.length);
      return Buffer.concat([prefix, record]);
    }),
  );
}

describe("lines", () => {
  test("each is a record: carriage returns and NULs stay, a last one without a newline counts", async () => {
    const log = await newLog();
    const { code, stderr } = await varve(["append", log], "one\r\n\n\0two\nlast");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^appended 4 records, 12 B, as ids 1\.\.4 \(/),
    });
    const records = (await text(["cat", log, "--json"]))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).payload);
    expect(records).toEqual(["one\r", "", "\0two", "last"]);
    expect(await text(["cat", log, "--framing", "none"])).toBe("one\r\0twolast");
  });

  test("nothing makes an empty log", async () => {
    const log = await newLog();
    expect(JSON.parse(await text(["append", log, "--json"]))).toMatchObject({
      records: 0,
      firstId: null,
      lastId: null,
      acknowledged: null,
      ended: "input-end",
      recovery: { outcome: "created" },
    });
    expect(await text(["cat", log])).toBe("");
    expect(await text(["cat", log, "--reverse"])).toBe("");
    expect(await text(["tail", log])).toBe("");
    expect(JSON.parse(await text(["segments", log, "--json"]))).toEqual([]);
    expect(await text(["segments", log])).toMatch(/^FIRST +LAST/);
    expect(await text(["stat", log])).toContain("none, the next is 1");
    expect(await text(["verify", log])).toBe("ok: no records, 0 B in 0 segments\n");
    expect((await varve(["get", log, "1"])).code).toBe(2);
  });

  test("one of more than 1 MiB is a record like any other", async () => {
    const log = await newLog();
    const line = "x".repeat(1_500_000);
    await text(["append", log], `short\n${line}\nshort again\n`);
    expect((await text(["get", log, "2"])) === line).toBe(true);
  });

  test("one that no segment holds ends it with its number; those before it are kept", async () => {
    const log = await newLog();
    const { code, stdout, stderr } = await spawned(
      ["append", log, "--segment-size", "64KiB", "--ack", "--json"],
      `one\ntwo\n${"x".repeat(70_000)}\nfour\n`,
    );
    expect(code).toBe(1);
    expect(jsonError(stderr)).toMatchObject({
      code: "SEGMENT_FULL",
      line: 3,
      message: expect.stringContaining("line 3"),
      hint: expect.stringContaining("--segment-size"),
    });
    const printed = stdout
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(printed.slice(0, 2)).toEqual([{ id: 1 }, { id: 2 }]);
    expect(printed[2]).toMatchObject({ records: 2, lastId: 2, durableId: 2, ended: "failure" });
    expect(await text(["cat", log])).toBe("one\ntwo\n");
  });
});

describe("length frames", () => {
  test("any bytes make the round trip through two logs", async () => {
    const [first, second] = [await newLog(), await newLog()];
    const frames = binaryFrames();
    await text(["append", first, "--framing", "length", "--segment-size", "512KiB"], frames);
    const copied = await bash(
      'varve cat "$1" --framing length | varve append "$2" --framing length --json',
      first,
      second,
    );
    expect(copied.code).toBe(0);
    const { stdout } = await spawned(["cat", second, "--framing", "length"]);
    expect(stdout.equals(frames)).toBe(true);
  });

  test("a cut one is an error that names its first byte, and nothing of it is appended", async () => {
    const log = await newLog();
    const { code, stderr } = await varve(
      ["append", log, "--framing", "length", "--json"],
      Buffer.from("\x03\0\0\0abc\x05\0\0\0de", "latin1"),
    );
    expect(code).toBe(1);
    expect(jsonError(stderr)).toMatchObject({
      code: "CUT_FRAME",
      offset: 7,
      message: expect.stringContaining("byte 7"),
    });
    expect(await text(["cat", log])).toBe("abc\n");
  });
});

describe("acknowledgements", () => {
  test.each([undefined, "sync", "async", "batched:7", "periodic:5", "batched-or-periodic:1000:5"])(
    "with the strategy %s every id is printed, in order",
    async (strategy) => {
      const log = await newLog();
      const options = strategy === undefined ? [] : ["--strategy", strategy];
      const printed = await text(["append", log, "--ack", ...options], lines(1, 300));
      expect(printed).toBe(Array.from({ length: 300 }, (_, index) => `${index + 1}\n`).join(""));
      expect(await text(["cat", log])).toBe(lines(1, 300));
    },
  );

  test("come while the input is still open, without waiting for more", async () => {
    const log = await newLog();
    const running = start("append", log, "--ack");
    for (let id = 1; id <= 3; id++) {
      running.process.stdin.write(`record ${id}\n`);
      await running.until((printed) => printed.endsWith(`${id}\n`));
      const reader = await openReadOnly({ dir: log });
      expect(Buffer.from((await reader.get(id))?.payload ?? []).toString()).toBe(`record ${id}`);
      await reader.close();
    }
    running.process.stdin.end();
    expect((await running.end()).code).toBe(0);
  });

  test("go on where the log ended", async () => {
    const log = await newLog();
    await text(["append", log], lines(1, 5));
    expect(await text(["append", log, "--ack"], "more\n")).toBe("6\n");
  });

  test("more than a pipe and memory hold are not lost when their reader is slow", async () => {
    const log = await newLog();
    const { code, stdout } = await bash(
      'seq 1 200000 | varve append "$1" --ack 2> "$1.notes" | { sleep 0.5; tail -n 1; }',
      log,
    );
    expect({ code, last: stdout.toString() }).toEqual({ code: 0, last: "200000\n" });
  });
});

describe("other processes", () => {
  test("a reader that leaves ends it quietly; what it saw is in the log", async () => {
    const log = await newLog();
    // `set +o pipefail`: the endless producer ends with SIGPIPE, as it should.
    const { code, stdout, stderr } = await bash(
      'set +o pipefail; yes record | varve append "$1" --ack | head -n 3; echo "${PIPESTATUS[1]} ${PIPESTATUS[2]}"',
      log,
    );
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: "1\n2\n3\n0 0\n" });
    expect(stderr).toMatch(/^stdout was closed: appended [^\n]*\n$/);
    expect(await text(["cat", log, "--limit", "3"])).toBe("record\nrecord\nrecord\n");
    expect((await varve(["verify", log])).code).toBe(0);
  });

  test("a disk that fills up ends it with 4; what was printed before is in the log", async () => {
    const log = await newLog();
    // A limit on file sizes behaves like a full disk.
    const { code, stdout, stderr } = await bash(
      'set +o pipefail; ulimit -f 3000; seq 1 200000 | varve append "$1" --ack --json; exit ${PIPESTATUS[1]}',
      log,
    );
    expect(code).toBe(4);
    expect(jsonError(stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({ code: "NO_SPACE", dir: log });
    const printed = stdout
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const summary = printed.at(-1);
    expect(summary).toMatchObject({
      ended: "failure",
      acknowledged: printed.length - 1,
      durableId: expect.any(Number),
    });
    expect(summary.acknowledged).toBeGreaterThan(1000);
    const held = (await text(["cat", log])).split("\n");
    expect(held.slice(0, summary.acknowledged)).toEqual(
      Array.from({ length: summary.acknowledged }, (_, index) => `${index + 1}`),
    );
  });

  test("a second writer is refused with 6, at once", async () => {
    const log = await newLog();
    const first = start("append", log, "--ack");
    first.process.stdin.write("mine\n");
    await first.until((printed) => printed === "1\n");
    const second = await spawned(["append", log, "--json"], "theirs\n");
    expect(second.code).toBe(6);
    expect(jsonError(second.stderr)).toMatchObject({ code: "LOCKED", hint: expect.stringContaining("varve tail") });
    expect((await spawned(["repair", log])).code).toBe(6);
    expect(await text(["cat", log])).toBe("mine\n");
    first.process.stdin.end("mine too\n");
    await first.end();
    expect(await text(["cat", log])).toBe("mine\nmine too\n");
  });
});

describe("refused before anything is made", () => {
  test.each([
    [["--segment-size", "100"], "--segment-size"],
    [["--segment-size", "5GiB"], "--segment-size"],
    [["--segment-size", "4097"], "--segment-size"],
    [["--segment-size", "big"], "--segment-size"],
    [["--strategy", "sometimes"], "--strategy"],
    [["--strategy", "batched:0"], "--strategy"],
    [["--framing", "none"], "--framing"],
  ])("%j", async (options, named) => {
    const log = await newLog();
    const { code, stderr } = await varve(["append", log, ...options], "record\n");
    expect(code).toBe(1);
    expect(stderr).toContain(named);
    expect((await varve(["stat", log])).code).toBe(2);
  });

  test("a file where the log should be", async () => {
    const file = join(await temporaryDirectory(), "file");
    await writeFile(file, "mine");
    const { code, stderr } = await varve(["append", file], "record\n");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("this is not a directory [NOT_A_LOG]"),
    });
  });

  test("a directory as standard input", async () => {
    const log = await newLog();
    const { code, stderr } = await bash('varve append "$1" < /', log);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: expect.stringContaining("standard input is a directory [INPUT]"),
    });
  });
});

test("a log that was not closed says what opening it did", async () => {
  const log = await newLog();
  await text(["append", log], lines(1, 20));
  const [segment] = JSON.parse(await text(["segments", log, "--json"])) as { path: string }[];
  await mkdir(join(log, "stranger"));
  // The footer goes, as if the process had died before it wrote one.
  const handle = await open(join(log, segment?.path ?? ""), "r+");
  await handle.truncate((await handle.stat()).size - 80);
  await handle.close();
  const summary = JSON.parse(await text(["append", log, "--json"], "more\n"));
  expect(summary).toMatchObject({ records: 1, firstId: 21 });
  expect(summary.recovery.messages.length).toBeGreaterThan(0);
});
