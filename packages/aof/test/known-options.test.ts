// Goal: a misspelt option is refused and changes nothing: neither an append without its condition nor a trim that was to
// be tried only.
// Method: every call that takes options, with one option too many.
import { MemoryFileSystem } from "@varve/fs-core";
import { expect, test } from "vitest";
import type { Aof } from "../src/index.ts";
import { openOn } from "./support/log-harness.ts";

type Misspelt = never;
const payload = new Uint8Array(3);
const misspelt = { expectedID: 9, dryrun: true, singal: 1 } as Misspelt;

const calls: Readonly<Record<string, (log: Aof) => unknown>> = {
  append: (log) => log.append(payload, misspelt),
  tryAppend: (log) => log.tryAppend(payload, misspelt),
  appendDurable: (log) => log.appendDurable(payload, misspelt),
  appendBatch: (log) => log.appendBatch([payload], misspelt),
  appendBatchDurable: (log) => log.appendBatchDurable([payload], misspelt),
  "a record of a batch": (log) => log.appendBatch([payload, { payload, ttlms: 5 } as Misspelt]),
  read: (log) => log.read(misspelt),
  readBatches: (log) => log.readBatches(misspelt),
  get: (log) => log.get(1, misspelt),
  trim: (log) => log.trim(2, misspelt),
  applyRetention: (log) => log.applyRetention(misspelt),
  cursor: (log) => log.cursor("name", misspelt),
  flush: (log) => log.flush(misspelt),
  write: (log) => log.write(misspelt),
  whenWritten: (log) => log.whenWritten(1, misspelt),
  whenDurable: (log) => log.whenDurable(1, misspelt),
};

test.for(Object.keys(calls))("%s", async (name) => {
  const log = await openOn(new MemoryFileSystem());
  log.append(payload);
  await log.flush();
  await expect((async () => calls[name]?.(log))()).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringMatching(/(?:expectedID|dryrun|singal|ttlms): not known; (?:did you mean|known are)/),
  });
  expect(log.lastId).toBe(1);
  expect(log.firstId).toBe(1);
  expect(log.cursors()).toHaveLength(0);
  await log.close();
});

test("of a cursor", async () => {
  const log = await openOn(new MemoryFileSystem());
  log.append(payload);
  await log.flush();
  const cursor = await log.cursor("name", { from: "earliest" });
  await expect(cursor.commit(1, misspelt)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(cursor.reset("tail", misspelt)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(cursor.delete(misspelt)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(() => cursor.read(misspelt)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
  expect(cursor.nextId).toBe(1);
  await log.close();
});
