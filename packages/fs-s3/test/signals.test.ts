// Goal: a signal stops the work itself, not only the wait for it, and bodies that are left close their connection.
// Method: a server that stalls at each moment and sees its sockets close.
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, driverAt, requestsByName } from "./driver-under-test.ts";
import { type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.close());

const size = 1 << 20;
const headers = { etag: '"v1"', "last-modified": "Tue, 01 Dec 2026 00:00:00 GMT", "content-length": String(size) };

/** Begins an answer of a mebibyte and stops after half. */
function half(response: ServerResponse): void {
  response.writeHead(200, headers);
  response.write(Buffer.alloc(size / 2));
}

describe("before the answer", () => {
  test.for(Object.keys(requestsByName))("%s", async (request) => {
    const driver = driverAt(server.url);
    const controller = new AbortController();
    const reason = new Error("enough");
    server.play(() => controller.abort(reason));
    const closed = server.socketClosed();
    await expect(requestsByName[request]?.(driver, call(controller.signal))).rejects.toBe(reason);
    await closed;
    await driver.close();
  });

  test("an aborted signal sends nothing", async () => {
    const driver = driverAt(server.url);
    server.play({ status: 200 });
    await expect(driver.head("k", call(AbortSignal.abort(new Error("before"))))).rejects.toThrow("before");
    expect(server.requests.length).toBe(0);
    await driver.close();
  });

  test("while credentials are fetched", async () => {
    let arrived = (): void => {};
    const asked = new Promise<void>((resolve) => (arrived = resolve));
    const driver = driverAt(server.url, {
      credentials: () => {
        arrived();
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const head = driver.head("k", call(controller.signal));
    await asked;
    controller.abort(new Error("enough"));
    await expect(head).rejects.toThrow("enough");
    await driver.close();
  });

  test("a large put while it is being sent", async () => {
    const driver = driverAt(server.url);
    const controller = new AbortController();
    server.play((request) => {
      request.once("data", () => controller.abort(new Error("enough")));
    });
    const closed = server.socketClosed();
    const put = { metadata: {}, contentType: "text/plain", checksum: undefined };
    await expect(driver.put("k", new Uint8Array(32 << 20), put, call(controller.signal))).rejects.toThrow("enough");
    await closed;
    await driver.close();
  });
});

describe("a body", () => {
  test("ends with its signal, while a read hangs", async () => {
    const driver = driverAt(server.url);
    server.play((_request, response) => half(response));
    const controller = new AbortController();
    const { chunks } = await driver.get("k", {}, call(controller.signal));
    const closed = server.socketClosed();
    let got = 0;
    const reading = (async () => {
      for await (const chunk of chunks) {
        got += chunk.byteLength;
        if (got === size / 2) controller.abort(new Error("enough"));
      }
    })();
    await expect(reading).rejects.toThrow("enough");
    await closed;
    await driver.close();
  });

  test("that nobody reads ends with its signal", async () => {
    const driver = driverAt(server.url);
    server.play((_request, response) => half(response));
    const controller = new AbortController();
    const closed = server.socketClosed();
    await driver.get("k", {}, call(controller.signal));
    controller.abort();
    await closed;
    await driver.close();
  });

  test("that is left closes its connection, read from or not", async () => {
    const driver = driverAt(server.url);
    server.play((_request, response) => half(response));
    let closed = server.socketClosed();
    for await (const _chunk of (await driver.get("k", {}, call())).chunks) break;
    await closed;
    closed = server.socketClosed();
    await (await driver.get("k", {}, call())).chunks[Symbol.asyncIterator]().return?.();
    await closed;
    await driver.close();
  });

  test("whose connection breaks ends early, without an error", async () => {
    const driver = driverAt(server.url);
    server.play((request, response) => {
      response.writeHead(200, headers);
      response.write(Buffer.alloc(1000), () => request.socket.destroy());
    });
    const { chunks, info } = await driver.get("k", {}, call());
    let got = 0;
    for await (const chunk of chunks) got += chunk.byteLength;
    expect(info.size).toBe(size);
    expect(got).toBe(1000);
    await driver.close();
  });

  test("that is refused for its head is not left open", async () => {
    const driver = driverAt(server.url);
    server.play((_request, response) => {
      response.writeHead(200, { "content-length": String(size) });
      response.write("no ETag");
    });
    const closed = server.socketClosed();
    await expect(driver.get("k", {}, call())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await closed;
    await driver.close();
  });
});

test("connections are kept and shared, no more than were asked for", async () => {
  const driver = driverAt(server.url, { maxSockets: 2 });
  const sockets = new Set<unknown>();
  server.play((request, response) => {
    sockets.add(request.socket);
    request.resume();
    response.writeHead(404, { "content-length": 0 }).end();
  });
  await Promise.all(Array.from({ length: 20 }, () => driver.head("k", call())));
  expect(sockets.size).toBe(2);
  await driver.close();
});

test("a driver that is closed sends nothing more, not even what waited for a connection", async () => {
  const busy = driverAt(server.url, { maxSockets: 2 });
  let arrived = 0;
  let bothArrived = (): void => {};
  const isBusy = new Promise<void>((resolve) => (bothArrived = resolve));
  server.play((_request, response) => {
    arrived++;
    if (arrived === 2) bothArrived();
    if (arrived > 2) response.writeHead(404).end();
  });
  const running = Promise.allSettled([1, 2, 3, 4].map(() => busy.head("k", call())));
  await isBusy;
  await busy.close();
  for (const result of await running) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "CLOSED", outcome: "none" } });
  }
  // What had been sent before this request would have arrived before it.
  const other = driverAt(server.url);
  expect(await other.head("k", call())).toBeUndefined();
  expect(arrived).toBe(3);
  await other.close();
});
