/** A driver before a scripted server; both are closed when the test ends. */
import type { DriverCall, DriverPut, ObjectStoreDriver } from "@varve/fs-core";
import { onTestFinished } from "vitest";
import { createGcsDriver } from "../../src/gcs-driver.ts";
import type { GcsSettings } from "../../src/gcs-settings.ts";
import { type Received, type Reply, type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

export interface Fixture {
  readonly driver: ObjectStoreDriver;
  readonly server: ScriptedServer;
}

/** @param answer the replies, in order, or a function of the request */
export async function openFixture(
  answer: readonly Reply[] | ((received: Received, index: number) => Reply),
  settings: Partial<GcsSettings> = {},
): Promise<Fixture> {
  const server = await startScriptedServer(
    typeof answer === "function" ? answer : (_received, index) => answer[index] ?? refusal(500, "endOfScript"),
  );
  const driver = createGcsDriver({ bucket: "bucket", endpoint: server.url, ...settings });
  onTestFinished(async () => {
    await driver.close();
    await server.close();
  });
  return { driver, server };
}

/** An object resource as the store answers. */
export const resource = (fields: Readonly<Record<string, unknown>> = {}): Reply => ({
  json: {
    generation: "1700000000000001",
    metageneration: "1",
    size: "9",
    crc32c: "4waSgw==",
    updated: "2024-05-06T07:08:09.123Z",
    contentType: "text/plain",
    metadata: { varveputid: "0123456789abcdef0123456789abcdef" },
    ...fields,
  },
});

export const refusal = (code: number, reason: string, message = reason): Reply => ({
  status: code,
  json: { error: { code, message, errors: [{ reason, message }] } },
});

export const digits: Uint8Array = new TextEncoder().encode("123456789");

export const putOf = (fields: Partial<DriverPut> = {}): DriverPut => ({
  metadata: { varveputid: "0123456789abcdef0123456789abcdef" },
  contentType: "text/plain",
  checksum: undefined,
  ...fields,
});

/** A call that nothing stops. */
export const call: DriverCall = { signal: new AbortController().signal };
