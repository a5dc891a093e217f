/**
 * Goal: `cat`, `tail`, `get`, `stat` and `segments` show exactly what the log holds, in pipes and across processes.
 * Method: logs written by the library and by `append`, read by the built command.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Aof } from "@varve/aof";
import { describe, expect, test } from "vitest";
import { bash, jsonError, lines, newLog, spawned, start, temporaryDirectory, text, varve } from "./varve.ts";

/** Records 1 to 9, one a second from 2026-11-21T00:00:01Z on. */
async function timedLog(): Promise<string> {
  const dir = await newLog();
  const log = await Aof.open({ dir, indexKind: "file" });
  for (let id = 1; id <= 9; id++) {
    log.append(Buffer.from(`record ${id}`), { timestampUs: (Date.UTC(2026, 10, 21) + id * 1000) * 1000 });
  }
  await log.close();
  return dir;
}

describe("cat", () => {
  test("ranges by id, by time, limited and reversed", async () => {
    const log = await timedLog();
    const cases: [string[], string][] = [
      [[], "123456789"],
      [["--from", "earliest"], "123456789"],
      [["--from", "tail"], ""],
      [["--from", "4"], "456789"],
      [["--from", "400"], ""],
      [["--to", "3"], "123"],
      [["--from", "4", "--to", "6"], "456"],
      [["--from", "2026-11-21T00:00:03.5Z", "--to", "2026-11-21T00:00:06Z"], "456"],
      [["--from", "2026-11-21T01:00:08+01:00"], "89"],
      [["--limit", "2"], "12"],
      [["--limit", "0"], ""],
      [["--reverse"], "987654321"],
      [["--reverse", "--limit", "2"], "98"],
      [["--reverse", "--from", "6", "--to", "4"], "654"],
    ];
    const results = await Promise.all(cases.map(([options]) => text(["cat", log, ...options])));
    expect(results.map((result) => result.replaceAll(/record |\n/g, ""))).toEqual(cases.map(([, ids]) => ids));
  });

  test("an age is counted from now", async () => {
    const log = await newLog();
    await text(["append", log], "now\n");
    expect(await text(["cat", log, "--from", "1h"])).toBe("now\n");
    expect(await text(["cat", log, "--to", "1h"])).toBe("");
  });

  test("JSON: one object a line, text where it is text, base64 where not", async () => {
    const log = await newLog();
    await text(["append", log, "--framing", "length"], Buffer.from("\x02\0\0\0hi\x02\0\0\0\xff\0", "latin1"));
    const [first, second] = (await text(["cat", log, "--json"]))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toEqual({
      id: 1,
      timestamp: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/),
      timestampUs: expect.any(Number),
      payload: "hi",
    });
    expect(second).toMatchObject({ id: 2, payload: "/wA=", encoding: "base64" });
    expect(Date.parse(first.timestamp) * 1000).toBe(Math.floor(first.timestampUs / 1000) * 1000);
  });

  test.each([
    [["--from", "6", "--to", "4"], "lies behind"],
    [["--reverse", "--from", "4", "--to", "6"], "--from is the newest"],
    [["--json", "--framing", "line"], "exclude each other"],
    [["--limit", "some"], "--limit"],
    [["--framing", "tlv"], "--framing"],
    [["--to", "tail"], "--to"],
  ])("%j is refused", async (options, message) => {
    const { code, stderr } = await varve(["cat", "anywhere", ...options]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });

  test("a reader that has enough ends it silently with 0", async () => {
    const log = await newLog();
    await bash('seq 1 300000 | varve append "$1"', log);
    for (const options of ["", "--json --limit 100000", "--reverse"]) {
      const { code, stdout, stderr } = await bash(`varve cat "$1" ${options} | head -n 1`, log);
      expect({ code, stderr, count: stdout.toString().split("\n").length }).toEqual({ code: 0, stderr: "", count: 2 });
    }
  });

  test("a slow reader gets everything", async () => {
    const log = await newLog();
    await bash('seq 1 300000 | varve append "$1"', log);
    const { stdout } = await bash('varve cat "$1" | { sleep 0.3; cksum; }; seq 1 300000 | cksum', log);
    const [copied, original] = stdout.toString().split("\n");
    expect(copied).toBe(original);
  });

  test("a disk that fills up under the output is an error, not a short file", async () => {
    const log = await newLog();
    await bash('seq 1 30000 | varve append "$1"', log);
    // A limit on file sizes behaves like a full disk: the last write takes a part and reports no error.
    const { code, stderr } = await bash('ulimit -f 100; varve cat "$1" > "$1.copy"', log);
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining("[OUTPUT]") });
    expect((await bash('varve cat "$1" > "$1.copy" && test "$(wc -l < "$1.copy")" = 30000', log)).code).toBe(0);
  });
});

describe("tail", () => {
  test("prints the last ten, or as many as asked for", async () => {
    const log = await newLog();
    await text(["append", log], lines(1, 15));
    const [ten, two, none, all] = await Promise.all([
      text(["tail", log]),
      text(["tail", log, "-n2"]),
      text(["tail", log, "--lines", "0"]),
      text(["tail", log, "-n", "100"]),
    ]);
    expect({ ten, two, none, all }).toEqual({ ten: lines(6, 15), two: lines(14, 15), none: "", all: lines(1, 15) });
  });

  test("-f goes on with what another process appends, over segments, until Ctrl-C", async () => {
    const log = await newLog();
    await text(["append", log], lines(1, 3));
    const follower = start("tail", log, "-f", "-n", "2");
    await follower.until((printed) => printed === lines(2, 3));
    await text(["append", log, "--segment-size", "4096"], lines(4, 300));
    await follower.until((printed) => printed === lines(2, 300));
    await text(["append", log], lines(301, 302));
    await follower.until((printed) => printed === lines(2, 302));
    follower.process.kill("SIGINT");
    expect(await follower.end()).toMatchObject({ code: 130, stderr: "" });
  });

  test("-f sees single records while their writer keeps the log open", async () => {
    const log = await newLog();
    const writer = start("append", log, "--ack");
    writer.process.stdin.write("first\n");
    await writer.until((printed) => printed === "1\n");
    const follower = start("tail", log, "-f", "--json");
    await follower.until((printed) => printed.includes('"payload":"first"'));
    writer.process.stdin.write("second\n");
    await follower.until((printed) => printed.includes('"id":2'));
    follower.process.kill("SIGTERM");
    expect((await follower.end()).code).toBe(143);
    writer.process.stdin.end();
    expect((await writer.end()).code).toBe(0);
  });

  test("-f ends when its reader has left and there is something to say", async () => {
    const log = await newLog();
    await text(["append", log], lines(1, 2));
    const { code, stdout } = await bash(
      'varve tail "$1" -f -n 1 | { head -n 1; exec < /dev/null; echo more | varve append "$1" 2> "$1.notes"; }',
      log,
    );
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: lines(2, 2) });
  });
});

describe("get", () => {
  test("gives exactly the bytes, or a frame, or JSON", async () => {
    const log = await newLog();
    await text(["append", log], "one\ntwo\n");
    expect((await spawned(["get", log, "2"])).stdout.toString()).toBe("two");
    expect(await text(["get", log, "2", "--framing", "line"])).toBe("two\n");
    expect(await text(["get", log, "2", "--framing", "length"])).toBe("\x03\0\0\0two");
    expect(JSON.parse(await text(["get", log, "2", "--json"]))).toMatchObject({ id: 2, payload: "two" });
  });

  test("one that is not there ends with 2 and says what is", async () => {
    const log = await newLog();
    await text(["append", log], lines(1, 4));
    const { code, stderr } = await varve(["get", log, "5", "--json"]);
    expect(code).toBe(2);
    expect(jsonError(stderr)).toMatchObject({
      code: "NO_SUCH_RECORD",
      recordId: 5,
      message: expect.stringContaining("1 to 4"),
      hint: expect.stringContaining("varve stat"),
    });
  });

  test.each(["0", "-1", "1.5", "abc", "9007199254740992"])("%s is no id", async (id) => {
    expect((await varve(["get", "anywhere", "--", id])).code).toBe(1);
  });
});

describe("stat and segments", () => {
  test("agree with what was appended", async () => {
    const log = await newLog();
    await text(["append", log, "--segment-size", "4096"], lines(1, 200));
    const stat = JSON.parse((await spawned(["stat", log, "--json"])).stdout.toString());
    const segments = JSON.parse((await spawned(["segments", log, "--json"])).stdout.toString()) as {
      baseId: number;
      lastId: number;
      recordCount: number;
      dataBytes: number;
      fileBytes: number;
      status: string;
      path: string;
    }[];
    expect(stat).toMatchObject({
      records: 200,
      firstId: 1,
      lastId: 200,
      nextId: 201,
      durableId: 200,
      state: "closed",
      segments: segments.length,
    });
    expect(segments.length).toBeGreaterThan(2);
    expect(segments.reduce((sum, segment) => sum + segment.recordCount, 0)).toBe(200);
    expect(segments.reduce((sum, segment) => sum + segment.dataBytes, 0)).toBe(stat.dataBytes);
    expect(segments.reduce((sum, segment) => sum + segment.fileBytes, 0)).toBe(stat.fileBytes);
    expect(stat.bytesPerRecord).toBeCloseTo(stat.dataBytes / 200, 1);
    expect(Date.parse(stat.firstTimestamp)).toBeLessThanOrEqual(Date.parse(stat.lastTimestamp));
    expect(["lmdb", "file"]).toContain(stat.index);

    const table = (await text(["segments", log])).trimEnd().split("\n");
    expect(table).toHaveLength(segments.length + 1);
    for (const [row, segment] of segments.entries()) {
      expect(table[row + 1]?.trim().split(/\s+/)).toEqual(
        expect.arrayContaining([String(segment.baseId), String(segment.lastId), "finalized", segment.path]),
      );
    }
    const shown = await text(["stat", log]);
    expect(shown).toMatch(/^records +200\nids +1\.\.200\n/);
    expect(shown).toContain(`${segments.length}\n`);
  });

  test("name the index that is there", async () => {
    expect(JSON.parse(await text(["stat", await timedLog(), "--json"]))).toMatchObject({
      index: "file",
      firstTimestamp: "2026-11-21T00:00:01.000000Z",
      lastTimestamp: "2026-11-21T00:00:09.000000Z",
    });
  });

  test("say open while somebody writes", async () => {
    const log = await newLog();
    const writer = start("append", log, "--ack");
    writer.process.stdin.write("one\n");
    await writer.until((printed) => printed === "1\n");
    expect(JSON.parse(await text(["stat", log, "--json"]))).toMatchObject({ state: "open", records: 1 });
    expect(JSON.parse(await text(["segments", log, "--json"]))).toMatchObject([{ status: "active", recordCount: 1 }]);
    writer.process.stdin.end();
    await writer.end();
  });
});

test.each(["cat", "tail", "get", "stat", "segments", "verify", "repair"])(
  "%s: what is no log ends with 2 and a next step",
  async (verb) => {
    const place = await temporaryDirectory();
    const file = join(place, "file");
    await writeFile(file, "text");
    const rest = verb === "get" ? ["1"] : [];
    const [absent, other, empty] = await Promise.all([
      varve([verb, join(place, "absent"), ...rest]),
      varve([verb, file, ...rest, "--json"]),
      varve([verb, place, ...rest]),
    ]);
    expect(absent).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no such directory \[NOT_FOUND\]\nNext: .*varve append/),
    });
    expect(other.code).toBe(2);
    expect(jsonError(other.stderr)).toMatchObject({ code: "NOT_A_LOG", dir: file, exitCode: 2 });
    expect(empty.code).toBe(2);
  },
);
