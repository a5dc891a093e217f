/**
 * Ids of blocks. The service knows no uploads, only blocks that wait below a blob's name until one list of ids is committed,
 * so the id says whose upload a block is of. All ids below one name have to be of one length.
 */
import type { Random } from "@varve/fs-core";

const form = /^varve-([0-9a-f]{32})-([0-9]{6})$/;

/** Names an upload: 32 hexadecimal digits. */
export function newUploadId(random: Random): string {
  return Buffer.from(random.fill(new Uint8Array(16))).toString("hex");
}

/** @param number 1..999 999 */
export function blockId(uploadId: string, number: number): string {
  return Buffer.from(`varve-${uploadId}-${String(number).padStart(6, "0")}`, "latin1").toString("base64");
}

/** The upload that a block is of; undefined for blocks that were not sent by this package. */
export function uploadOf(id: string): string | undefined {
  return form.exec(Buffer.from(id, "base64").toString("latin1"))?.[1];
}
