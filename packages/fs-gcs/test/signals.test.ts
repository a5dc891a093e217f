/**
 * Goal: a signal really stops a request, whatever it waits for, and the connection with it.
 * Method: a server that never answers, or takes nothing more; it must see its connections closed.
 */
import net, { type AddressInfo, type Socket } from "node:net";
import { crc64Nvme, type DriverCall, type DriverInfo, type ObjectStoreDriver } from "@varve/fs-core";
import { expect, onTestFinished, test } from "vitest";
import { createGcsDriver } from "../src/gcs-driver.ts";
import { call, digits, openFixture, putOf, resource } from "./support/driver-fixture.ts";

const list = { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 1, pageToken: undefined };
const part = {
  number: 1,
  offset: 0,
  bytes: new Uint8Array(262_144),
  checksum: crc64Nvme(new Uint8Array(262_144)),
  isLast: false,
};

/** Each starts one request with `stopped`; `session` is an upload that was begun. */
const calls: Readonly<Record<string, (driver: ObjectStoreDriver, stopped: DriverCall, session: string) => unknown>> = {
  head: (driver, stopped) => driver.head("a", stopped),
  get: (driver, stopped) => driver.get("a", {}, stopped),
  put: (driver, stopped) => driver.put("a", digits, putOf(), stopped),
  delete: (driver, stopped) => driver.delete("a", {}, stopped),
  listPage: (driver, stopped) => driver.listPage(list, stopped),
  rename: (driver, stopped) => driver.rename?.("a", "b", { ifAbsent: true }, stopped),
  copy: (driver, stopped) =>
    driver.copy({ key: "a", version: "7" } as DriverInfo, "b", { ...putOf(), ifSourceMatch: "7" }, stopped),
  beginUpload: (driver, stopped) => driver.beginUpload("a", putOf(), stopped),
  uploadPart: (driver, stopped, session) => driver.uploadPart("a", session, part, stopped),
  completeUpload: (driver, stopped, session) =>
    driver.completeUpload("a", session, [], { ...putOf(), size: 0 }, stopped),
  abortUpload: (driver, stopped, session) => driver.abortUpload("a", session, stopped),
};

test.for(Object.keys(calls))("%s, while no answer comes", async (operation) => {
  const { driver, server } = await openFixture(() => ({ fault: "hang" }));
  const controller = new AbortController();
  const session = `${server.url}/upload?upload_id=1`;
  const running = Promise.resolve(calls[operation]?.(driver, { signal: controller.signal }, session));
  const settled = Promise.allSettled([running]);
  await server.receives(1);
  const why = new Error("enough");
  controller.abort(why);
  await settled;
  await expect(running).rejects.toBe(why);
  await server.idle();
});

test.for(Object.keys(calls))("%s, before it began", async (operation) => {
  const { driver, server } = await openFixture(() => ({ fault: "hang" }));
  const session = `${server.url}/upload?upload_id=1`;
  const why = new Error("enough");
  const running = Promise.resolve(calls[operation]?.(driver, { signal: AbortSignal.abort(why) }, session));
  await expect(running).rejects.toBe(why);
  expect(server.received).toEqual([]);
});

test("half an answer", async () => {
  const { driver, server } = await openFixture(() => ({ bytes: Buffer.from('{"generation"'), fault: "stall" }));
  const controller = new AbortController();
  const running = driver.head("a", { signal: controller.signal });
  const settled = Promise.allSettled([running]);
  await server.receives(1);
  controller.abort(new Error("enough"));
  await settled;
  await expect(running).rejects.toThrow("enough");
  await server.idle();
});

/** A server that accepts connections and does with them what the test says. */
async function serveSockets(onSocket: (socket: Socket) => void): Promise<{ url: string; closed: Promise<void> }> {
  let hasClosed = (): void => {};
  const closed = new Promise<void>((resolve) => (hasClosed = resolve));
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.on("close", () => hasClosed());
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, closed };
}

test("a body that the server stops reading", async () => {
  let hasBegun = (_socket: Socket): void => {};
  const begun = new Promise<Socket>((resolve) => (hasBegun = resolve));
  const { url, closed } = await serveSockets((socket) =>
    socket.once("data", () => {
      socket.pause();
      hasBegun(socket);
    }),
  );
  const driver = createGcsDriver({ bucket: "bucket", endpoint: url });
  const controller = new AbortController();
  const running = driver.put("a", new Uint8Array(32 * 2 ** 20), putOf(), { signal: controller.signal });
  const settled = Promise.allSettled([running]);
  const held = await begun;
  controller.abort(new Error("enough"));
  await settled;
  await expect(running).rejects.toThrow("enough");
  // Only a server that reads sees the end.
  held.resume();
  await closed;
  await driver.close();
});

test("an answer before the body was sent: the refusal is told, and the connection is not used again", async () => {
  const body = JSON.stringify({ error: { code: 412, message: "no", errors: [{ reason: "conditionNotMet" }] } });
  const answer = `HTTP/1.1 412 Precondition Failed\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const { url, closed } = await serveSockets((socket) =>
    socket.once("data", () => {
      socket.pause();
      socket.write(answer, () => socket.resume());
    }),
  );
  const driver = createGcsDriver({ bucket: "bucket", endpoint: url });
  const putting = driver.put("a", new Uint8Array(64 * 2 ** 20), putOf({ ifAbsent: true }), call);
  await expect(putting).rejects.toMatchObject({ code: "ALREADY_EXISTS", outcome: "none" });
  await closed;
  await driver.close();
});

test("closing the driver stops what is under way", async () => {
  const { driver, server } = await openFixture(() => ({ fault: "hang" }));
  const putting = driver.put("a", digits, putOf(), call);
  const settled = Promise.allSettled([putting]);
  await server.receives(1);
  await driver.close();
  await settled;
  await expect(putting).rejects.toMatchObject({ code: "CLOSED", outcome: "unknown" });
  await server.idle();
});

test("many calls with one signal leave nothing on it", async () => {
  const { driver, server } = await openFixture(() => resource());
  const controller = new AbortController();
  const keys = Array.from({ length: 100 }, (_, index) => `key-${index}`);
  await Promise.all(keys.map((key) => driver.head(key, { signal: controller.signal })));
  // A connection that was given back to the pool is not the call's any more.
  controller.abort();
  await driver.head("after", call);
  expect(server.received).toHaveLength(101);
});

test("an address where nobody listens: certainly nothing was done", async () => {
  const { url } = await serveSockets(() => {});
  const unused = createGcsDriver({ bucket: "bucket", endpoint: url.replace(/\d+$/, "1") });
  const putting = unused.put("a", digits, putOf(), call);
  await expect(putting).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "none", vendorCode: "ECONNREFUSED" });
  await unused.close();
});

test("a request that waits for a connection stops with its signal, and is never sent", async () => {
  const { driver, server } = await openFixture(() => ({ fault: "hang" }));
  const all = new AbortController();
  const busy = Array.from({ length: 64 }, (_, index) => driver.head(`${index}`, { signal: all.signal }));
  const settled = Promise.allSettled(busy);
  await server.receives(64);
  const waiting = new AbortController();
  const why = new Error("enough");
  const running = driver.put("late", digits, putOf(), { signal: waiting.signal });
  const stopped = Promise.allSettled([running]);
  setImmediate(() => waiting.abort(why));
  expect(await stopped).toEqual([{ status: "rejected", reason: why }]);
  all.abort();
  await settled;
  expect(server.received.length).toBe(64);
});

test("a driver that is closed sends nothing more, not even what waited for a connection", async () => {
  const { driver, server } = await openFixture(() => ({ fault: "hang" }));
  const running = Array.from({ length: 70 }, (_, index) => driver.head(`${index}`, call));
  const settled = Promise.allSettled(running);
  await server.receives(64);
  await driver.close();
  for (const { status, ...result } of await settled) {
    expect([status, result]).toMatchObject(["rejected", { reason: { code: "CLOSED", outcome: "none" } }]);
  }
  await server.idle();
  expect(server.received.length).toBe(64);
});
