/**
 * Goal: every failure of Cloud Storage has the code that says what to do, and says honestly what may have happened.
 * Method: a table of answers as the documentation and the service give them (test/responses), and of Node's own errors.
 */
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import type { StoreError } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import {
  type FailedRequest,
  isBucketMissing,
  mapAuthClientError,
  mapConnectionError,
  mapGcsAnswer,
  mapTokenAnswer,
} from "../src/map-gcs-error.ts";

interface Recorded {
  readonly name: string;
  readonly request?: FailedRequest;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly text?: string;
  /** Null: has none. */
  readonly wanted: Readonly<Record<string, unknown>>;
}

const recorded = (file: string): Recorded[] =>
  JSON.parse(readFileSync(new URL(`responses/${file}`, import.meta.url), "utf8")) as Recorded[];

const answerOf = ({ status, headers = {}, body, text }: Recorded): Parameters<typeof mapGcsAnswer>[0] => ({
  status,
  headers,
  text: text ?? JSON.stringify(body),
});

function expectFields(error: StoreError, { isBucketMissing: isMissing, ...wanted }: Recorded["wanted"]): void {
  for (const [name, value] of Object.entries(wanted)) {
    expect(error[name as keyof StoreError] ?? null, name).toBe(value);
  }
  expect(isBucketMissing(error)).toBe(isMissing === true);
}

describe("answers of the store", () => {
  test.for(recorded("json-api.json"))("$status: $name", (response) => {
    const error = mapGcsAnswer(answerOf(response), response.request as FailedRequest);
    expectFields(error, response.wanted);
    expect(error.status).toBe(response.status);
    expect(error.message).not.toMatch(/\p{Control}/u);
    expect(inspect(error, { depth: 12 })).not.toContain("canary");
  });

  test("are cut to one line of some length", () => {
    const error = mapGcsAnswer({ status: 500, headers: {}, text: "x".repeat(100_000) }, { changes: false });
    expect(error.message.length).toBeLessThan(400);
  });
});

describe("answers of the token endpoint", () => {
  test.for(recorded("token-endpoint.json"))("$status: $name", (response) => {
    const error = mapTokenAnswer(answerOf(response));
    expectFields(error, { ...response.wanted, outcome: "none" });
  });

  test.for(recorded("token-endpoint.json"))("$status through Google's library: $name", (response) => {
    // What gaxios throws: an error with the answer, and with the request, which holds the assertion.
    const thrown = Object.assign(new Error("Request failed"), {
      code: String(response.status),
      response: { status: response.status, data: response.body ?? response.text },
      config: { data: "assertion=canary" },
    });
    const error = mapAuthClientError(thrown);
    const { code, vendorCode } = response.wanted;
    expectFields(error, vendorCode === undefined ? { code } : { code, vendorCode });
    expect(inspect(error, { depth: 12 })).not.toContain("canary");
  });

  test.for([
    [new Error("Could not load the default credentials."), "UNAUTHENTICATED"],
    [Object.assign(new Error("no such file"), { code: "ENOENT" }), "UNAUTHENTICATED"],
    [Object.assign(new Error("no key"), { code: "ERR_OSSL_UNSUPPORTED" }), "UNAUTHENTICATED"],
    [Object.assign(new Error("refused"), { code: "ECONNREFUSED" }), "UNAVAILABLE"],
    [Object.assign(new Error("name"), { code: "ENOTFOUND" }), "UNAVAILABLE"],
    [undefined, "UNAUTHENTICATED"],
  ] as const)("%s", ([thrown, code]) => expect(mapAuthClientError(thrown)).toMatchObject({ code, outcome: "none" }));
});

describe("errors of connections", () => {
  const node = (code: string, syscall?: string): Error => Object.assign(new Error(code), { code, syscall });
  const several = Object.assign(new AggregateError([node("ECONNREFUSED", "connect"), node("ENETUNREACH", "connect")]), {
    code: "ECONNREFUSED",
  });
  const oneSent = Object.assign(new AggregateError([node("ECONNREFUSED", "connect"), node("ECONNRESET", "read")]), {
    code: "ECONNREFUSED",
  });

  test.for([
    [node("ECONNREFUSED", "connect"), "UNAVAILABLE", "none"],
    [node("ETIMEDOUT", "connect"), "UNAVAILABLE", "none"],
    [node("ENOTFOUND", "getaddrinfo"), "UNAVAILABLE", "none"],
    [several, "UNAVAILABLE", "none"],
    [oneSent, "UNAVAILABLE", "unknown"],
    [node("ECONNRESET", "read"), "UNAVAILABLE", "unknown"],
    [node("ECONNRESET"), "UNAVAILABLE", "unknown"],
    [node("EPIPE", "write"), "UNAVAILABLE", "unknown"],
    [node("HPE_INVALID_CONSTANT"), "UNAVAILABLE", "unknown"],
    [new Error("the answer has more than 5 bytes"), "UNAVAILABLE", "unknown"],
    [node("DEPTH_ZERO_SELF_SIGNED_CERT"), "IO", "none"],
    [node("ERR_TLS_CERT_ALTNAME_INVALID"), "IO", "none"],
    [node("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "IO", "none"],
    [node("ERR_INVALID_CHAR"), "INVALID_ARGUMENT", "none"],
  ] as const)("%s in a write", ([thrown, code, outcome]) => {
    expect(mapConnectionError(thrown, { changes: true })).toMatchObject({ code, outcome });
    expect(mapConnectionError(thrown, { changes: false })).toMatchObject({ code, outcome: "none" });
  });
});
