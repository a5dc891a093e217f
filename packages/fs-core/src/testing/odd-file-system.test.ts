/** Goal: OddFileSystem is odd enough to catch a bypass. Method: look at the bytes and calls below it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryFileSystem } from "../file-system/memory-file-system.ts";
import { CrashableFileSystem } from "./crashable-file-system.ts";
import { oddDecode, oddEncode, oddPieces } from "./odd-bytes.ts";
import { OddFileSystem } from "./odd-file-system.ts";

test("what is stored is not what was written", async () => {
  const inner = new MemoryFileSystem();
  const text = Buffer.from("plain text that a bypass would find");
  const handle = await new OddFileSystem(inner).createFile("a");
  await handle.writeAt(0, text);
  const below = await inner.openFile("a");
  const stored = Buffer.from(await below.readAll());
  expect(stored.length).toBe(text.length);
  expect(stored.filter((byte, index) => byte === text[index]).length).toBeLessThan(4);
});

test("one call becomes several, the first a short one", async () => {
  const inner = new CrashableFileSystem();
  const handle = await new OddFileSystem(inner).createFile("a");
  const before = inner.operations;
  await handle.writeAt(0, new Uint8Array(100));
  handle.writeAtSync(100, new Uint8Array(40_000));
  await handle.readAt(0, new Uint8Array(100));
  expect(inner.operations - before).toBe(2 + 4 + 2);
});

test("encoding is undone at the same position only, and keeps zeroes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(1000), (data, position) => {
      expect(oddDecode(oddEncode(data, position), position)).toEqual(data);
    }),
  );
  expect(oddEncode(new Uint8Array(100), 3)).toEqual(new Uint8Array(100));
  const ones = new Uint8Array(100).fill(1);
  expect(oddDecode(oddEncode(ones, 3), 4)).not.toEqual(ones);
});

test("pieces cover their range in order", () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(100_000), (start, length) => {
      let at = start;
      for (const [from, to] of oddPieces(start, start + length)) {
        expect(from).toBe(at);
        expect(to).toBeGreaterThan(from);
        at = to;
      }
      expect(at).toBe(start + length);
    }),
  );
});
