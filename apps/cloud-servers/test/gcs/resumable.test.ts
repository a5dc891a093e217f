// Goal: a resumable upload keeps what arrived in units of 256 KiB, says so exactly, and ends once.
// Method: raw requests in every order a client may come up with, connections broken in the middle, and a property
// that uploads in random pieces with repeats and gaps.
import { connect } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { GcsServer } from "@varve/cloud-servers";
import { ManualClock } from "@varve/fs-core/testing";
import { put, raw, type RawAnswer, start, withServer } from "./raw-http.ts";

const unit = 256 * 1024;
const bytes = Buffer.from(Uint8Array.from({ length: 3 * unit + 100 }, (_, at) => (at * 31 + (at >> 8)) & 0xff));

function send(server: GcsServer, path: string, range: string | undefined, body: Uint8Array = Buffer.alloc(0)) {
  const headers: Record<string, string> = range === undefined ? {} : { "content-range": `bytes ${range}` };
  return raw(server, `PUT ${path}`, { body, headers });
}
const piece = (first: number, end: number): Buffer => bytes.subarray(first, end);
const state = ({ status, headers }: RawAnswer): unknown[] => [status, headers["range"]];
const stored = (server: GcsServer): Buffer => Buffer.from(server.objects("bucket")[0]?.bytes() ?? []);

test("in chunks, with a total at the end", async () => {
  await withServer({}, async (server) => {
    const path = await start(server, "a/n", { headers: { "x-upload-content-type": "a/b" } });
    expect(state(await send(server, path, "*/*"))).toEqual([308, undefined]);
    expect(state(await send(server, path, `0-${unit - 1}/*`, piece(0, unit)))).toEqual([308, `bytes=0-${unit - 1}`]);
    expect(state(await send(server, path, "*/*"))).toEqual([308, `bytes=0-${unit - 1}`]);
    expect(state(await send(server, path, `*/${bytes.length}`))).toEqual([308, `bytes=0-${unit - 1}`]);
    expect(server.sessions("bucket")).toMatchObject([
      { object: "a/n", persistedBytes: unit, totalBytes: bytes.length, state: "open" },
    ]);
    expect(server.objects("bucket")).toEqual([]);
    const last = await send(server, path, `${unit}-${bytes.length - 1}/${bytes.length}`, piece(unit, bytes.length));
    expect(last.status).toBe(200);
    expect(last.json).toMatchObject({ name: "a/n", size: String(bytes.length), contentType: "a/b" });
    expect(stored(server).equals(bytes)).toBe(true);
    expect(server.sessions("bucket")).toMatchObject([{ state: "complete" }]);
  });
});

test("the session's address is at the host that was asked, as behind a proxy", async () => {
  await withServer({}, async (server) => {
    const line = "POST /upload/storage/v1/b/bucket/o?uploadType=resumable&name=n";
    const asked = await raw(server, line, { headers: { host: "proxy.example:8080" } });
    expect([asked.status, new URL(asked.headers["location"] ?? "").host]).toEqual([200, "proxy.example:8080"]);
  });
});

test("in one request: with a range, without, and of unknown length", async () => {
  await withServer({}, async (server) => {
    for (const range of [`0-${bytes.length - 1}/${bytes.length}`, undefined, "0-*/*", `0-*/${bytes.length}`]) {
      const path = await start(server, "n");
      const answer = await send(server, path, range, bytes);
      expect([answer.status, answer.json["size"]]).toEqual([200, String(bytes.length)]);
      expect(stored(server).equals(bytes)).toBe(true);
    }
  });
});

test("nothing at all", async () => {
  await withServer({}, async (server) => {
    for (const range of ["*/0", undefined]) {
      const answer = await send(server, await start(server, "n"), range);
      expect([answer.status, answer.json["size"], answer.json["crc32c"]]).toEqual([200, "0", "AAAAAA=="]);
    }
  });
});

test("a whole number of chunks is complete when its total is known", async () => {
  await withServer({}, async (server) => {
    const path = await start(server, "n");
    expect(state(await send(server, path, `0-${unit - 1}/*`, piece(0, unit)))).toEqual([308, `bytes=0-${unit - 1}`]);
    expect((await send(server, path, `*/${unit}`)).json["size"]).toBe(String(unit));
    const announced = await start(server, "m", { headers: { "x-upload-content-length": String(unit) } });
    expect((await send(server, announced, `0-${unit - 1}/*`, piece(0, unit))).json["size"]).toBe(String(unit));
  });
});

test("a chunk that is no multiple is kept down to one", async () => {
  await withServer({}, async (server) => {
    const path = await start(server, "n");
    expect(state(await send(server, path, `0-99/*`, piece(0, 100)))).toEqual([308, undefined]);
    const answer = await send(server, path, `0-${2 * unit + 99}/*`, piece(0, 2 * unit + 100));
    expect(state(answer)).toEqual([308, `bytes=0-${2 * unit - 1}`]);
  });
});

test("bytes that are there are passed over; a gap is refused and changes nothing", async () => {
  await withServer({}, async (server) => {
    const path = await start(server, "n");
    await send(server, path, `0-${2 * unit - 1}/*`, piece(0, 2 * unit));
    expect(state(await send(server, path, `0-${unit - 1}/*`, piece(0, unit)))).toEqual([
      308,
      `bytes=0-${2 * unit - 1}`,
    ]);
    // What was sent before counts, not what is sent again.
    const other = Buffer.alloc(2 * unit, 7);
    expect(state(await send(server, path, `${unit}-${3 * unit - 1}/*`, other))).toEqual([
      308,
      `bytes=0-${3 * unit - 1}`,
    ]);
    const gap = await send(server, path, `${4 * unit}-${5 * unit - 1}/*`, other.subarray(unit));
    expect([gap.status, gap.reason]).toEqual([503, "backendError"]);
    const end = await send(
      server,
      path,
      `${3 * unit}-${bytes.length - 1}/${bytes.length}`,
      piece(3 * unit, bytes.length),
    );
    expect(end.status).toBe(200);
    const expected = Buffer.concat([piece(0, 2 * unit), other.subarray(0, unit), piece(3 * unit, bytes.length)]);
    expect(stored(server).equals(expected)).toBe(true);
  });
});

test.for([
  ["no Content-Range that can be read", "0-5", 6],
  ["a range backwards", "5-0/6", 6],
  ["a range beyond its total", "0-6/6", 7],
  ["more bytes than the range", "0-4/6", 6],
  ["fewer bytes than the range", "0-6/7", 6],
  ["bytes with a question", "*/*", 6],
  ["a total that is not the announced one", "0-5/6", 6],
  ["a range beyond the announced total", "0-7/*", 8],
  ["more bytes than the announced total", "0-*/*", 8],
  ["fewer bytes than the announced total", "0-*/*", 6],
] as const)("refuses %s", async ([, range, length]) => {
  await withServer({}, async (server) => {
    const path = await start(server, "n", { headers: { "x-upload-content-length": "7" } });
    const answer = await send(server, path, range, piece(0, length));
    expect([answer.status, answer.reason]).toEqual([400, "invalid"]);
    expect((await send(server, path, "0-6/7", piece(0, 7))).status).toBe(200);
  });
});

test("a total that was said stays", async () => {
  await withServer({}, async (server) => {
    const path = await start(server, "n");
    await send(server, path, `0-${unit - 1}/${bytes.length}`, piece(0, unit));
    expect((await send(server, path, `*/${bytes.length + 1}`)).reason).toBe("invalid");
    expect((await send(server, await start(server, "m"), `*/-1`)).reason).toBe("invalid");
  });
});

test("a complete upload answers the same to anything, though the object is gone", async () => {
  await withServer({}, async (server) => {
    const path = await start(server, "n");
    const first = await send(server, path, undefined, piece(0, 10));
    expect((await raw(server, "DELETE /storage/v1/b/bucket/o/n")).status).toBe(204);
    for (const range of ["*/*", "*/10", "0-9/10", undefined]) {
      const again = await send(server, path, range, range?.startsWith("*") === true ? Buffer.alloc(0) : piece(0, 10));
      expect([again.status, again.json]).toEqual([200, first.json]);
    }
    expect(server.objects("bucket")).toEqual([]);
  });
});

test("conditions count at the end, and what they decide stays", async () => {
  await withServer({}, async (server) => {
    const path = await start(server, "n", { query: "&ifGenerationMatch=0" });
    await put(server, "n", "first");
    const lost = await send(server, path, undefined, piece(0, 10));
    expect([lost.status, lost.reason]).toEqual([412, "conditionNotMet"]);
    await raw(server, "DELETE /storage/v1/b/bucket/o/n");
    expect((await send(server, path, undefined, piece(0, 10))).reason).toBe("conditionNotMet");
    expect(server.sessions("bucket")).toMatchObject([{ state: "failed" }]);
    await put(server, "n", "there at the start");
    const taken = await start(server, "n", { query: "&ifGenerationMatch=0" });
    await raw(server, "DELETE /storage/v1/b/bucket/o/n");
    expect((await send(server, taken, undefined, piece(0, 10))).status).toBe(200);
  });
});

test("checksums of the first and of the last request are checked", async () => {
  await withServer({}, async (server) => {
    const body = Buffer.from("hello world");
    const good = { crc32c: "yZRlqg==", md5Hash: "XrY7u+Ae7tCTyyK7j1rNww==" };
    expect((await send(server, await start(server, "n", { body: good }), undefined, body)).status).toBe(200);
    for (const bad of [{ crc32c: "AAAAAA==" }, { md5Hash: "AAAA" }]) {
      const path = await start(server, "n", { body: bad });
      expect((await send(server, path, undefined, body)).reason).toBe("invalid");
    }
    const path = await start(server, "n");
    const headers = { "x-goog-hash": "crc32c=AAAAAA==" };
    expect((await raw(server, `PUT ${path}`, { body, headers })).reason).toBe("invalid");
    const early = await start(server, "n", { headers });
    expect((await send(server, early, undefined, body)).reason).toBe("invalid");
  });
});

test("an upload can be cancelled, and expires after a week", async () => {
  const clock = new ManualClock({ wallUs: 1_700_000_000_000_000 });
  await withServer({ clock }, async (server) => {
    const path = await start(server, "n");
    expect((await raw(server, `DELETE ${path}`)).status).toBe(499);
    expect((await send(server, path, "*/*")).reason).toBe("gone");
    expect((await raw(server, `DELETE ${path}`)).status).toBe(410);
    const unknown = path.replace(/upload_id=.*/, "upload_id=x");
    expect((await send(server, unknown, "*/*")).reason).toBe("notFound");
    expect((await send(server, unknown.replace("&upload_id=x", ""), "*/*")).reason).toBe("required");
    const old = await start(server, "m");
    await send(server, old, `0-${unit - 1}/*`, piece(0, unit));
    clock.advance(7 * 24 * 3600 * 1000 - 1);
    expect((await send(server, old, "*/*")).status).toBe(308);
    clock.advance(1);
    const late = await send(server, old, "*/*");
    expect([late.status, late.reason]).toEqual([410, "gone"]);
    expect(server.sessions("bucket").map((session) => session.state)).toEqual(["cancelled", "expired"]);
  });
});

test("what arrived before a connection broke is kept, down to a multiple", async () => {
  await withServer({}, async (server) => {
    const path = await start(server, "n");
    const head = `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Range: bytes 0-${bytes.length - 1}/${bytes.length}\r\n`;
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, "127.0.0.1", () => {
        socket.write(`${head}Content-Length: ${bytes.length}\r\n\r\n`);
        socket.write(piece(0, 2 * unit + 50), () => socket.end());
      });
      socket.resume();
      socket.on("close", () => resolve());
    });
    await expect.poll(() => server.sessions("bucket")[0]?.persistedBytes, { timeout: 25_000 }).toBe(2 * unit);
    const rest = `${2 * unit}-${bytes.length - 1}/${bytes.length}`;
    expect((await send(server, path, rest, piece(2 * unit, bytes.length))).status).toBe(200);
    expect(stored(server).equals(bytes)).toBe(true);
  });
});

test.for(["one that goes on", "one that completes"])("a stuck request gives way to %s", async (newer) => {
  await withServer({}, async (server) => {
    const path = await start(server, "n");
    const head = `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Range: bytes 0-${bytes.length - 1}/${bytes.length}\r\n`;
    const received: Buffer[] = [];
    const socket = connect(server.port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("data", (data) => received.push(data));
    socket.write(`${head}Connection: close\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    socket.write(piece(0, unit));
    await expect.poll(() => server.sessions("bucket")[0]?.persistedBytes, { timeout: 25_000 }).toBe(unit);
    const end = newer === "one that goes on" ? 2 * unit : bytes.length;
    const answer = await send(server, path, `${unit}-${end - 1}/${bytes.length}`, piece(unit, end));
    expect(answer.status).toBe(end === bytes.length ? 200 : 308);
    socket.write(Buffer.alloc(bytes.length - unit, 9));
    await closed;
    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1.1 503 /);
    expect(server.sessions("bucket")[0]?.persistedBytes).toBe(end);
    const rest = `${end}-${bytes.length - 1}/${bytes.length}`;
    if (end < bytes.length) expect((await send(server, path, rest, piece(end, bytes.length))).status).toBe(200);
    expect(stored(server).equals(bytes)).toBe(true);
  });
});

test("any pieces, repeats and gaps end in the same bytes", async () => {
  await withServer({}, async (server) => {
    const step = fc.record({ offset: fc.integer({ min: -2, max: 1 }), length: fc.integer({ min: 1, max: 2 * unit }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const path = await start(server, "n");
        let persisted = 0;
        for (const { offset, length } of steps) {
          const first = Math.max(0, persisted + offset * 1000);
          const end = Math.min(bytes.length - 1, first + length);
          if (end <= first) continue;
          const answer = await send(server, path, `${first}-${end - 1}/*`, piece(first, end));
          if (first > persisted) {
            expect(answer.status).toBe(503);
            continue;
          }
          persisted = Math.max(persisted, end - (end % unit));
          expect(state(answer)).toEqual([308, persisted === 0 ? undefined : `bytes=0-${persisted - 1}`]);
        }
        const range = `${persisted}-${bytes.length - 1}/${bytes.length}`;
        expect((await send(server, path, range, piece(persisted, bytes.length))).status).toBe(200);
        expect(stored(server).equals(bytes)).toBe(true);
      }),
      { numRuns: 20, seed: 308 },
    );
  });
});
