/** A driver before a server that plays answers: opened anew for each test of a file. */
import type { ObjectStoreDriver } from "@varve/fs-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { S3Settings } from "../src/index.ts";
import { driverAt } from "./driver-under-test.ts";
import {
  type ReceivedRequest,
  type ScriptedAnswer,
  type ScriptedServer,
  startScriptedServer,
} from "./scripted-server.ts";

export interface Scripted {
  server: ScriptedServer;
  driver: ObjectStoreDriver;
  /** Opens the driver once more, with other settings. */
  open(settings: Partial<S3Settings>): Promise<void>;
  /** The only request since the last answer was given. */
  sent(): ReceivedRequest;
}

/** Registers hooks; the fields are there when tests run. */
export function scriptedDriver(): Scripted {
  const scripted = {
    async open(settings: Partial<S3Settings>) {
      await scripted.driver.close();
      scripted.driver = driverAt(scripted.server.url, settings);
    },
    sent() {
      expect(scripted.server.requests.length).toBe(1);
      return scripted.server.requests[0] as ReceivedRequest;
    },
  } as Scripted;
  beforeAll(async () => {
    scripted.server = await startScriptedServer();
  });
  beforeEach(() => {
    scripted.driver = driverAt(scripted.server.url);
  });
  afterEach(() => scripted.driver.close());
  afterAll(() => scripted.server.close());
  return scripted;
}

export const date = "Tue, 01 Dec 2026 00:00:00 GMT";
/** An object of ten bytes. */
export const found: ScriptedAnswer = {
  status: 200,
  headers: { etag: '"v1"', "last-modified": date, "content-type": "text/plain", "x-amz-meta-a_b": "c d" },
  body: "0123456789",
};
export const bytes: Buffer = Buffer.from("0123456789");

/** A success with a document. */
export function xml(body: string): ScriptedAnswer {
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  };
}
