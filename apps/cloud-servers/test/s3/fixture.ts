/** A server for one test, with time standing still at `now` and a seed. */
import { createHash } from "node:crypto";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { afterEach } from "vitest";
import type { S3ServerOptions } from "../../src/s3/options.ts";
import { type S3Server, startS3Server } from "../../src/s3/s3-server.ts";
import { credentials, type RawRequest, type RawResponse, send } from "./raw-client.ts";

const started: S3Server[] = [];

afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

export interface Fixture {
  readonly server: S3Server;
  readonly clock: ManualClock;
  /** Path style, in bucket `bucket`: the path is that of the key. */
  readonly ask: (method: string, key: string, rest?: Omit<RawRequest, "method" | "path">) => Promise<RawResponse>;
}

export async function startFixture(options: Partial<S3ServerOptions> = {}): Promise<Fixture> {
  const clock = new ManualClock();
  const server = await startS3Server({
    buckets: ["bucket", "other"],
    credentials,
    clock,
    random: new SeededRandom(1),
    ...options,
  });
  started.push(server);
  return {
    server,
    clock,
    ask: (method, key, rest = {}) => send(server, { method, path: `/bucket/${key}`, ...rest }),
  };
}

export function md5Hex(data: string | Uint8Array): string {
  return createHash("md5").update(data).digest("hex");
}

export function md5Base64(data: string | Uint8Array): string {
  return createHash("md5").update(data).digest("base64");
}

export function digestBase64(algorithm: "sha1" | "sha256", data: string | Uint8Array): string {
  return createHash(algorithm).update(data).digest("base64");
}

/** The text of every element of that name, in order. */
export function elements(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map((match) => match[1] ?? "");
}

/** Of one element. */
export function element(text: string, name: string): string | undefined {
  return elements(text, name)[0];
}

/** What a table expects of an answer. */
export interface Expected {
  readonly status: number;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly text?: string;
}

/** The same parts of an answer as were expected, for one comparison. */
export function partsOf(response: RawResponse, expected: Expected): Expected {
  const { status, code, headers, text } = response;
  return {
    status,
    ...("code" in expected && code !== undefined && { code }),
    ...(expected.headers !== undefined && {
      headers: Object.fromEntries(Object.keys(expected.headers).map((name) => [name, headers[name]])),
    }),
    ...(expected.text !== undefined && { text }),
  };
}
