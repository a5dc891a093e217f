// Goal: a signal stops the work and closes its connection, bodies that are left do too, and a closed driver keeps none.
// Method: a service that never finishes, or answers at once, whose connections are counted.
import { once } from "node:events";
import type { DriverBody, ObjectStoreDriver } from "@varve/fs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAzureDriver } from "../src/index.ts";
import { type RecordedService, startRecordedService } from "./support/recorded-service.ts";

const put = { metadata: {}, contentType: "text/plain", checksum: undefined };
const head = { etag: '"0x1"', "x-ms-request-id": "1", "last-modified": "Thu, 26 Nov 2026 01:58:23 GMT" };

describe("a service that hangs", () => {
  let service: RecordedService;
  let driver: ObjectStoreDriver;
  let asked: () => void = () => {};

  beforeEach(async () => {
    service = await startRecordedService(({ url }, response) => {
      asked();
      // The head of an answer and its first bytes; or nothing at all.
      if (url.pathname.endsWith("/begun"))
        response.writeHead(200, { ...head, "content-length": "100000" }).write("begin");
      if (url.pathname.endsWith("/short")) {
        response.writeHead(200, { ...head, "content-length": "10" }).write("12345", () => response.socket?.end());
      }
      return undefined;
    });
    const accountKey = Buffer.from("a key of this test").toString("base64");
    driver = createAzureDriver({ account: "lake1", container: "logs", accountKey }, { agent: service.agent });
  });
  afterEach(async () => {
    await driver.close();
    await service.stop();
  });

  async function allClosed(): Promise<void> {
    await Promise.all([...service.sockets].map((socket) => once(socket, "close")));
  }

  test.each<[string, (driver: ObjectStoreDriver, signal: AbortSignal) => Promise<unknown>]>([
    ["head", (to, signal) => to.head("a", { signal })],
    ["get", (to, signal) => to.get("a", {}, { signal })],
    ["put", (to, signal) => to.put("a", new Uint8Array(1000), put, { signal })],
    [
      "list",
      (to, signal) =>
        to.listPage(
          { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 1, pageToken: undefined },
          { signal },
        ),
    ],
    ["delete", (to, signal) => to.delete("a", {}, { signal })],
  ])("%s ends when its signal fires", async (name, run) => {
    const stop = new AbortController();
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const running = run(driver, stop.signal);
    await isAsked;
    expect(service.sockets.size).toBe(1);
    stop.abort();
    await expect(running).rejects.toMatchObject({
      code: "ABORTED",
      outcome: ["put", "delete"].includes(name) ? "unknown" : "none",
    });
    await allClosed();
  });

  test("nothing is sent under a signal that fired before", async () => {
    const signal = AbortSignal.abort();
    await expect(driver.put("a", new Uint8Array(1), put, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(service.requests).toEqual([]);
  });

  function begun(signal: AbortSignal): Promise<DriverBody> {
    return driver.get("begun", {}, { signal });
  }

  test("a body ends with an error when its signal fires", async () => {
    const stop = new AbortController();
    const { chunks } = await begun(stop.signal);
    const read = async (): Promise<void> => {
      for await (const chunk of chunks) {
        expect(Buffer.from(chunk).toString()).toBe("begin");
        stop.abort();
      }
    };
    await expect(read()).rejects.toThrow();
    await allClosed();
  });

  test("a body that nobody reads ends when its signal fires", async () => {
    const stop = new AbortController();
    await begun(stop.signal);
    stop.abort();
    await allClosed();
  });

  test("a body whose loop is left closes its connection", async () => {
    const { chunks } = await begun(new AbortController().signal);
    for await (const chunk of chunks) {
      expect(chunk.byteLength).toBe(5);
      break;
    }
    await allClosed();
  });

  test("a body that is left before it was read closes its connection", async () => {
    const { chunks } = await begun(new AbortController().signal);
    await chunks[Symbol.asyncIterator]().return?.();
    await allClosed();
  });

  test("a body whose connection breaks ends early, without an error and without another request", async () => {
    const { chunks, range } = await driver.get("short", {}, { signal: new AbortController().signal });
    let got = 0;
    for await (const chunk of chunks) got += chunk.byteLength;
    expect([range.length, got]).toEqual([10, 5]);
    expect(service.requests.length).toBe(1);
  });
});

test("the driver's own connections are kept between requests, as many as were allowed, and closed with it", async () => {
  const created = { status: 201, headers: { ...head, "content-length": "0" }, body: "" };
  const service = await startRecordedService(() => created);
  const accountKey = Buffer.from("a key of this test").toString("base64");
  const endpoint = `${service.origin}/lake1`;
  const driver = createAzureDriver({ account: "lake1", container: "logs", accountKey, endpoint, connectionsMax: 2 });
  const signal = new AbortController().signal;
  const keys = Array.from({ length: 12 }, (_, index) => `key ${index}`);
  await Promise.all(keys.map((key) => driver.put(key, Uint8Array.of(1), put, { signal })));
  await driver.put("later", Uint8Array.of(1), put, { signal });
  expect([service.requests.length, service.sockets.size]).toEqual([13, 2]);
  const closed = Promise.all([...service.sockets].map((socket) => once(socket, "close")));
  await driver.close();
  await driver.close();
  await closed;
  const late = driver.put("too late", Uint8Array.of(1), put, { signal });
  await expect(late).rejects.toMatchObject({ code: "CLOSED", outcome: "none" });
  expect([service.requests.length, service.sockets.size]).toEqual([13, 0]);
  await service.stop();
});

test("a driver that is closed sends nothing more, not even what waited for a connection", async () => {
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const service = await startRecordedService(({ url }) => {
    if (service.requests.length === 2) asked();
    return url.pathname.endsWith("/last")
      ? { status: 200, headers: { ...head, "content-length": "1" }, body: "" }
      : undefined;
  });
  const accountKey = Buffer.from("a key of this test").toString("base64");
  const endpoint = `${service.origin}/lake1`;
  const settings = { account: "lake1", container: "logs", accountKey, endpoint, connectionsMax: 2 };
  const driver = createAzureDriver(settings);
  const signal = new AbortController().signal;
  const running = Promise.allSettled([1, 2, 3, 4].map(() => driver.head("a", { signal })));
  await isAsked;
  await driver.close();
  for (const result of await running) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "CLOSED", outcome: "none" } });
  }
  await Promise.all([...service.sockets].map((socket) => once(socket, "close")));
  // What had been sent before this request would have arrived before it.
  const other = createAzureDriver(settings);
  await other.head("last", { signal });
  expect([service.requests.length, service.sockets.size]).toEqual([3, 1]);
  await other.close();
  await service.stop();
});
