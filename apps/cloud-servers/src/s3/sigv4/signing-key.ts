import { createHmac, timingSafeEqual } from "node:crypto";

/** Where and when a signature is valid. */
export interface CredentialScope {
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** As it stands in a string to sign. */
export function scopeText({ date, region, service }: CredentialScope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** The key that a secret gives for a scope. */
export function signingKey(secretAccessKey: string, { date, region, service }: CredentialScope): Uint8Array {
  let key: Uint8Array = Buffer.from(`AWS4${secretAccessKey}`);
  for (const step of [date, region, service, "aws4_request"]) key = createHmac("sha256", key).update(step).digest();
  return key;
}

/** Lower case hexadecimal. */
export function sign(key: Uint8Array, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

/** Compares in constant time, as a server should even in tests. */
export function sameSignature(a: string, b: string): boolean {
  const bytesA = Buffer.from(a);
  const bytesB = Buffer.from(b);
  return bytesA.byteLength === bytesB.byteLength && timingSafeEqual(bytesA, bytesB);
}
