/**
 * Goal: reads and writes finish or fail, however few bytes a call moves.
 * Method: fake system calls over an array, with scripted counts.
 */
import { describe, expect, test } from "vitest";
import { toStorageError } from "./map-node-error.ts";
import { type Call, type CallSync, readWhole, readWholeSync, writeWhole, writeWholeSync } from "./whole-io.ts";

const data = Uint8Array.from({ length: 100 }, (_, index) => index + 1);

/** A system call that moves what the script says, at most what was asked; a string fails; at its end it moves all. */
function scripted(
  script: readonly (number | string)[],
  move: (bytes: Uint8Array, from: number, position: number) => void,
) {
  const calls: [offset: number, length: number, position: number][] = [];
  const sync: CallSync = (fd, bytes, offset, length, position) => {
    expect(fd).toBe(3);
    const step = script[calls.length] ?? length;
    calls.push([offset, length, position]);
    if (typeof step === "string") throw Object.assign(new Error(step), { code: step });
    const count = Math.min(step, length);
    move(bytes.subarray(offset, offset + count), offset, position);
    return count;
  };
  const async: Call = (fd, bytes, offset, length, position, done) => {
    queueMicrotask(() => {
      let count = 0;
      try {
        count = sync(fd, bytes, offset, length, position);
      } catch (error) {
        return done(error as Error, 0);
      }
      done(null, count);
    });
  };
  return { calls, sync, async };
}

function disk(size = 200): { readonly bytes: Uint8Array; readonly write: Parameters<typeof scripted>[1] } {
  const bytes = new Uint8Array(size);
  return { bytes, write: (piece, _from, position) => bytes.set(piece, position) };
}

type Write = (
  script: readonly (number | string)[],
  target: ReturnType<typeof disk>,
) => Promise<ReturnType<typeof scripted>["calls"]>;

const writers: Readonly<Record<string, Write>> = {
  async sync(script, target) {
    const fake = scripted(script, target.write);
    writeWholeSync(fake.sync, 3, data, 50);
    return fake.calls;
  },
  async async(script, target) {
    const fake = scripted(script, target.write);
    await writeWhole(fake.async, 3, data, 50);
    return fake.calls;
  },
};

describe.each(Object.entries(writers))("write, %s", (_name, write) => {
  test("one call where it suffices", async () => {
    const target = disk();
    expect(await write([], target)).toEqual([[0, 100, 50]]);
    expect(target.bytes.subarray(50, 150)).toEqual(data);
  });

  test("short writes are continued where they stopped", async () => {
    const target = disk();
    expect(await write([1, 60, 38], target)).toEqual([
      [0, 100, 50],
      [1, 99, 51],
      [61, 39, 111],
      [99, 1, 149],
    ]);
    expect(target.bytes.subarray(50, 150)).toEqual(data);
    expect(target.bytes[49]).toBe(0);
    expect(target.bytes[150]).toBe(0);
  });

  test("every pattern of short writes arrives whole", async () => {
    for (let step = 1; step <= 100; step += 1) {
      const target = disk();
      await write(
        Array.from({ length: 100 }, (_, index) => 1 + ((index * 7) % step)),
        target,
      );
      expect(target.bytes.subarray(50, 150)).toEqual(data);
    }
  });

  test("a short write and then a full disk is the disk's error", async () => {
    await expect(write([40, "ENOSPC"], disk())).rejects.toMatchObject({ code: "ENOSPC" });
  });

  test("no progress is an error, not an endless loop", async () => {
    const failure = await write([40, 0], disk()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringContaining("40 of 100 bytes") });
    expect(toStorageError(failure, "writeAt", "a").code).toBe("IO");
  });
});

test("nothing to write makes no call", async () => {
  const fake = scripted([], () => {});
  writeWholeSync(fake.sync, 3, new Uint8Array(0), 0);
  await writeWhole(fake.async, 3, new Uint8Array(0), 0);
  expect(fake.calls).toEqual([]);
});

test("a call never moves more than 1 GiB", async () => {
  // Fills 3 GiB of address space, of which nothing is ever touched.
  const huge = new Uint8Array(2 ** 31 + 5);
  const fake = scripted([], () => {});
  writeWholeSync(fake.sync, 3, huge, 0);
  await writeWhole(fake.async, 3, huge, 0);
  const lengths = [2 ** 30, 2 ** 30, 5];
  expect(fake.calls.map(([, length]) => Math.min(length, 2 ** 30))).toEqual([...lengths, ...lengths]);
  expect(fake.calls.map(([, , position]) => position)).toEqual([0, 2 ** 30, 2 ** 31, 0, 2 ** 30, 2 ** 31]);
});

describe.each(["sync", "async"] as const)("read, %s", (form) => {
  const read = (script: readonly (number | string)[], buffer: Uint8Array) => {
    const fake = scripted(script, (piece, from) => piece.set(data.subarray(from, from + piece.length)));
    return form === "sync"
      ? (async () => readWholeSync(fake.sync, 3, buffer, 9))()
      : readWhole(fake.async, 3, buffer, 9);
  };

  test("short reads are continued", async () => {
    const buffer = new Uint8Array(100);
    expect(await read([3, 1, 90], buffer)).toBe(100);
    expect(buffer).toEqual(data);
  });

  test("the end of the file ends it", async () => {
    const buffer = new Uint8Array(100);
    expect(await read([3, 40, 0], buffer)).toBe(43);
    expect(buffer.subarray(0, 43)).toEqual(data.subarray(0, 43));
    expect(await read([0], buffer)).toBe(0);
  });

  test("an error after a part is an error", async () => {
    await expect(read([3, "EIO"], new Uint8Array(100))).rejects.toMatchObject({ code: "EIO" });
  });

  test("nothing to read makes no call", async () => {
    expect(await read(["EIO"], new Uint8Array(0))).toBe(0);
  });
});
