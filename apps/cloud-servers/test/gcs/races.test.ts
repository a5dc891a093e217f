// Goal: of many writers that may each go only if nobody did, exactly one goes, whichever way it uploads.
// Method: 20 at once over real connections; the winner's bytes must be what is there.
import { expect, test } from "vitest";
import type { GcsServer } from "@varve/cloud-servers";
import { put, raw, type RawAnswer, related, start, withServer } from "./raw-http.ts";

const writers = 20;
const upload = "/upload/storage/v1/b/bucket/o";
const bodyOf = (nth: number): Buffer => Buffer.alloc(100_000, `writer ${nth} `);

async function resumable(server: GcsServer, nth: number): Promise<RawAnswer> {
  const path = await start(server, "n", { query: "&ifGenerationMatch=0" });
  return raw(server, `PUT ${path}`, { body: bodyOf(nth) });
}

const ways: readonly [string, (server: GcsServer, nth: number) => Promise<RawAnswer>][] = [
  [
    "media",
    (server, nth) => raw(server, `POST ${upload}?uploadType=media&name=n&ifGenerationMatch=0`, { body: bodyOf(nth) }),
  ],
  [
    "multipart",
    (server, nth) =>
      raw(server, `POST ${upload}?uploadType=multipart&ifGenerationMatch=0`, related({ name: "n" }, bodyOf(nth))),
  ],
  ["resumable", resumable],
];

test.for([
  ...ways,
  [
    "every way",
    (server: GcsServer, nth: number) => {
      const [, way = resumable] = ways[nth % ways.length] ?? [];
      return way(server, nth);
    },
  ] as const,
])("one of 20 creators wins: %s", async ([, write]) => {
  await withServer({}, async (server) => {
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: writers }, (_, nth) => write(server, nth)));
      const winners = answers.flatMap(({ status }, nth) => (status === 200 ? [nth] : []));
      const losers = answers.filter(({ status, reason }) => status === 412 && reason === "conditionNotMet");
      expect([winners.length, losers.length]).toEqual([1, writers - 1]);
      expect(Buffer.from(server.objects("bucket")[0]?.bytes() ?? []).equals(bodyOf(winners[0] ?? -1))).toBe(true);
      expect((await raw(server, "DELETE /storage/v1/b/bucket/o/n")).status).toBe(204);
    }
  });
});

test("one of 20 replaces a generation, deletes it, moves onto a name", async () => {
  await withServer({}, async (server) => {
    const race = async (line: (nth: number) => string, body?: string) => {
      const all = Array.from({ length: writers }, (_, nth) =>
        raw(server, line(nth), body === undefined ? {} : { body }),
      );
      return (await Promise.all(all)).map(({ status }) => status).sort((a, b) => a - b);
    };
    const { generation } = await put(server, "n", "first");
    const replace = `POST ${upload}?uploadType=media&name=n&ifGenerationMatch=${String(generation)}`;
    expect(await race(() => replace, "x")).toEqual([200, ...Array(writers - 1).fill(412)]);
    const now = server.objects("bucket")[0]?.generation;
    const deleted = await race(() => `DELETE /storage/v1/b/bucket/o/n?ifGenerationMatch=${now}`);
    expect(deleted).toEqual([204, ...Array(writers - 1).fill(404)]);
    for (let nth = 0; nth < writers; nth++) await put(server, `from-${nth}`, `${nth}`);
    const move = (nth: number): string => `POST /storage/v1/b/bucket/o/from-${nth}/moveTo/o/to?ifGenerationMatch=0`;
    expect(await race(move)).toEqual([200, ...Array(writers - 1).fill(412)]);
    expect(server.objects("bucket").length).toBe(writers);
  });
});
