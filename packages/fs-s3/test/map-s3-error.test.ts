// Goal: every failure of S3, of its relatives and of the way there says what the caller should do, what the store had
// done, and nothing secret.
// Method: answers in the form that AWS documents and that others were seen to give, in `responses/`, played by a server
// to a driver; sockets that break at every moment.
import { isStoreError, type StoreError } from "@varve/fs-core";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mapS3Error } from "../src/map-s3-error.ts";
import { call, canaryCredentials, driverAt, plainPut, requestsByName } from "./driver-under-test.ts";
import { type ScriptedAnswer, type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

interface Row {
  readonly name: string;
  readonly request: string;
  readonly answer: ScriptedAnswer;
  readonly expect: Partial<StoreError> & { readonly message?: string };
}

const folder = new URL("responses/", import.meta.url);
let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.close());

/** The failure of a request; its driver is closed. */
async function failureOf(endpoint: string, request: string): Promise<StoreError> {
  const driver = driverAt(endpoint);
  try {
    await requestsByName[request]?.(driver, call());
  } catch (error) {
    if (!isStoreError(error)) throw error;
    expect(inspect(error, { depth: 12, showHidden: true }) + JSON.stringify(error)).not.toContain("CANARY");
    return error;
  } finally {
    await driver.close();
  }
  throw new Error("the request succeeded");
}

describe.for(readdirSync(folder))("%s", (file) => {
  const rows: Row[] = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
  test.for(rows)("$request: $name", async ({ request, answer, expect: { message, ...wanted } }) => {
    server.play(answer);
    const error = await failureOf(server.url, request);
    expect(error).toMatchObject(wanted);
    if (message !== undefined) expect(error.message).toContain(message);
    if (request !== "list") expect(error.key).toBe("k");
    expect(error.operation).toBe(request.replace(/If.*|Range/, "").replace("complete", "completeUpload"));
    expect(server.requests.length, "one call is one attempt").toBe(1);
  });
});

test("a server that repeats what it was sent gives no secret away", async () => {
  server.play((request, response) => {
    const { authorization } = request.headers;
    const token = String(request.headers["x-amz-security-token"]);
    response.writeHead(403, { "content-type": "application/xml" });
    response.end(
      `<Error><Code>SignatureDoesNotMatch</Code><Message>got authorization: ${authorization}; ` +
        `x-amz-security-token: ${token} in https://host/?X-Amz-Signature=${token}</Message></Error>`,
    );
  });
  const error = await failureOf(server.url, "put");
  const shown = inspect(error, { depth: 12, showHidden: true }) + JSON.stringify(error) + error.stack;
  expect(shown).not.toContain("CANARY");
  expect(shown).not.toMatch(/[0-9a-f]{64}/);
});

test("a server that repeats it in other words neither", async () => {
  const sessionToken = Buffer.from("CANARY".repeat(20)).toString("base64");
  server.play((request, response) => {
    const headers = request.rawHeaders.join(" ");
    const id = String(request.headers["authorization"]);
    response.writeHead(403, { "content-type": "application/xml", "x-amz-request-id": id });
    response.end(`<Error><Code>AccessDenied</Code><Message>not ${headers}</Message></Error>`);
  });
  const driver = driverAt(server.url, { credentials: { ...canaryCredentials, sessionToken } });
  const error = await driver
    .head("k", call())
    .catch(() => driver.get("k", {}, call()).catch((thrown: unknown) => thrown));
  await driver.close();
  const shown = inspect(error, { depth: 12, showHidden: true }) + JSON.stringify(error);
  expect(shown).toContain("AccessDenied: not");
  expect(shown).not.toContain(sessionToken.slice(0, 40));
  expect(shown).not.toMatch(/[0-9a-f]{64}/);
});

test("neither a driver nor what it holds shows keys", async () => {
  const driver = driverAt(server.url);
  const shown = inspect(driver, { depth: 12, showHidden: true }) + JSON.stringify(driver);
  for (const secret of Object.values(canaryCredentials)) expect(shown).not.toContain(secret);
  expect(driver.url).toBe("s3://logs");
  await driver.close();
});

describe("no answer", () => {
  test.for([
    ["put", "unknown"],
    ["complete", "unknown"],
    ["get", "none"],
  ] as const)("%s: the connection breaks after the request", async ([request, outcome]) => {
    server.play((received) => received.socket.destroy());
    expect(await failureOf(server.url, request)).toMatchObject({ code: "UNAVAILABLE", outcome, retryable: true });
  });

  test("nobody listens: nothing was sent", async () => {
    const listener = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => listener.once("listening", resolve));
    const { port } = listener.address() as { port: number };
    await new Promise((resolve) => listener.close(resolve));
    const error = await failureOf(`http://127.0.0.1:${port}`, "put");
    expect(error).toMatchObject({ code: "UNAVAILABLE", outcome: "none", retryable: true });
    expect(error.message).toContain("ECONNREFUSED");
  });

  test("the server is no HTTP server", async () => {
    const listener = createServer((socket) => socket.once("data", () => socket.end("hello\r\n\r\n"))).listen(
      0,
      "127.0.0.1",
    );
    await new Promise((resolve) => listener.once("listening", resolve));
    const { port } = listener.address() as { port: number };
    const error = await failureOf(`http://127.0.0.1:${port}`, "put");
    expect(error).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    await new Promise((resolve) => listener.close(resolve));
  });

  test("the server does not speak TLS", async () => {
    const error = await failureOf(server.url.replace("http:", "https:"), "put");
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: false });
  });

  const broken = (code: string, syscall?: string): Error =>
    Object.assign(new Error(`${syscall ?? ""} ${code}`), { code, syscall });
  const asked = { operation: "put", key: "k", bucket: "logs", isWrite: true };

  // ip(7): a message from a router on the way, or a changed route, gives this code to a connection that was made.
  test.for(["EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED", "EPROTO", "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC"])(
    "%s while the answer is awaited: the request may have been carried out",
    (code) => {
      const syscall = code.startsWith("E") && !code.startsWith("ERR") ? "read" : undefined;
      expect(mapS3Error(broken(code, syscall), asked)).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    },
  );

  test.for([
    broken("EHOSTUNREACH", "connect"),
    broken("EAI_AGAIN", "getaddrinfo"),
    Object.assign(new AggregateError([broken("ECONNREFUSED", "connect"), broken("ENETUNREACH", "connect")]), {
      code: "ECONNREFUSED",
    }),
    broken("ERR_SSL_WRONG_VERSION_NUMBER"),
    broken("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
  ])("%s: no connection came about, nothing was sent", (error) => {
    expect(mapS3Error(error, asked)).toMatchObject({ code: "UNAVAILABLE", outcome: "none" });
  });

  test.for([
    ["the way to it broke", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }), true],
    ["it failed", Object.assign(new Error("try again"), { $metadata: { httpStatusCode: 503 } }), true],
    ["it refused", Object.assign(new Error("no"), { $metadata: { httpStatusCode: 403 } }), false],
  ] as const)("who gives credentials gave none: %s", async ([, reason, isPassing]) => {
    const driver = driverAt(server.url, {
      credentials: () => Promise.reject(new Error("no token", { cause: reason })),
    });
    await expect(driver.put("k", new Uint8Array(1), plainPut, call())).rejects.toMatchObject({
      code: isPassing ? "UNAVAILABLE" : "UNAUTHENTICATED",
      outcome: "none",
      retryable: isPassing,
    });
    await driver.close();
  });

  test("credentials cannot be had", async () => {
    const driver = driverAt(server.url, {
      credentials: () => Promise.reject(new Error("token=CANARY is too old", { cause: new Error("secret: CANARY") })),
    });
    const error = await driver.head("k", call()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "StoreError", code: "UNAUTHENTICATED", outcome: "none" });
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain("CANARY");
    expect(inspect(error)).toContain("is too old");
    await driver.close();
  });
});
