/**
 * `data.seal`: which bytes `data.mdb` had when LMDB last let go of it. FORMAT.md section 4.
 */
import { crc64Nvme } from "@varve/fs-core";
import { ByteWriter, sameBytes } from "../bytes.ts";

export const sealName = "data.seal";

/** `VRVSEAL` and a zero byte. */
const magic = Uint8Array.of(0x56, 0x52, 0x56, 0x53, 0x45, 0x41, 0x4c, 0);
const sealVersion = 1;

/** The seal of a data file with these bytes. */
export function encodeSeal(file: Uint8Array): Uint8Array {
  const out = new ByteWriter(40);
  out.raw(magic);
  out.u32(sealVersion);
  out.u32(0);
  out.u53(file.length);
  out.u64(crc64Nvme(file));
  out.u64(crc64Nvme(out.soFar()));
  return out.soFar();
}

/** Whether the data file is byte for byte the one that was sealed. */
export function isSealed(file: Uint8Array, seal: Uint8Array | undefined): boolean {
  return seal !== undefined && sameBytes(seal, encodeSeal(file));
}
