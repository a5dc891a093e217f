/** Goal: what MemoryFileSystem adds to the suite: its limits, its clock, and when things happen. Method: small scripts. */
import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";

test("more than memory can hold is NO_SPACE, and changes nothing", async () => {
  const handle = await new MemoryFileSystem().createFile("a");
  await handle.writeAt(0, Buffer.from("kept"));
  const huge = Number.MAX_SAFE_INTEGER - 1;
  await expect(handle.setSize(huge)).rejects.toMatchObject({ code: "NO_SPACE", operation: "setSize", path: "a" });
  expect(() => handle.setSizeSync(huge)).toThrow(expect.objectContaining({ code: "NO_SPACE" }));
  await expect(handle.writeAt(huge, Buffer.from("x"))).rejects.toMatchObject({
    code: "NO_SPACE",
    operation: "writeAt",
  });
  expect(Buffer.from(await handle.readAll()).toString()).toBe("kept");
});

test("a borrowed buffer that changes too early is written as it is by then, as a disk would", async () => {
  const handle = await new MemoryFileSystem().createFile("a");
  const data = Buffer.from("before");
  const writing = handle.writeAt(0, data);
  data.write("change");
  await writing;
  expect(Buffer.from(await handle.readAll()).toString()).toBe("change");
});

test("times are the clock's", async () => {
  const clock = new ManualClock({ wallUs: 1_000_000 });
  const fs = new MemoryFileSystem({ clock });
  const handle = await fs.createFile("a");
  clock.advance(500);
  await handle.writeAt(0, Buffer.from("x"));
  expect((await fs.fileMetadata("a")).mtimeMs).toBe(1500);
  expect((await fs.fileMetadata("")).mtimeMs).toBe(1000);
});

test("has no path that another library could open", () => {
  expect(new MemoryFileSystem().localPath("a")).toBeUndefined();
});

test("a watcher hears of many changes at once, and only of its directory's", async () => {
  const fs = new MemoryFileSystem();
  await fs.mkdir("d/e");
  let calls = 0;
  const watch = fs.watch("d", () => {
    calls += 1;
  });
  for (let i = 0; i < 10; i += 1) fs.createFileSync(`d/${i}`);
  fs.createFileSync("other").writeAtSync(0, Buffer.from("x"));
  fs.createFileSync("d/e/below");
  await Promise.resolve();
  expect(calls).toBe(1);
  fs.openFileMutSync("d/3").writeAtSync(0, Buffer.from("x"));
  watch.close();
  await Promise.resolve();
  expect(calls).toBe(1);
});
