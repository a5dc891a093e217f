import { createCipheriv, createDecipheriv } from "node:crypto";
import { systemRandom } from "@varve/fs-core";
import { AofError } from "../errors.ts";
import { describe } from "../describe.ts";
import type { KeyContext, KeyProvider, WrappedKey } from "./key-provider.ts";

/** The keys of a {@link localKeyRing}. */
export interface LocalKeyRingSettings {
  /** By id (1..1024 bytes as UTF-8): 32 bytes each, or their base64. Copied. */
  readonly keys: Readonly<Record<string, Uint8Array | string>>;
  /** The id that wraps from now on. The others only unwrap. */
  readonly current: string;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const algorithm = "aes-256-gcm";

/**
 * A key provider whose keys are in this process: from a file, an environment variable, a secret mount. Wraps with
 * AES-256-GCM and a random nonce. To retire a key: add the new one, make it `current`, `rewrapKeys`, then drop the old.
 * @throws AofError `INVALID_SETTINGS` naming every wrong id; never a key
 */
export function localKeyRing(settings: LocalKeyRingSettings): KeyProvider {
  const problems: string[] = [];
  const keys = new Map<string, Uint8Array>();
  const given = settings?.keys;
  if (typeof given !== "object" || given === null) {
    // Never the value: it may be a key.
    problems.push(`keys: got ${given === null ? "null" : typeof given}, want an object of keys by id`);
  } else {
    for (const [id, key] of Object.entries(given)) {
      const bytes = bytesOf(key);
      const idBytes = Buffer.byteLength(id);
      if (!id.isWellFormed() || idBytes < 1 || idBytes > 1024) {
        problems.push(`keys: the id ${describe(id)} is not 1 to 1024 bytes of UTF-8`);
      }
      if (bytes === undefined) problems.push(`keys: the key ${describe(id)} is not 32 bytes or their base64`);
      else keys.set(id, bytes);
    }
  }
  const current = settings?.current;
  if (typeof current !== "string") problems.push(`current: got ${describe(current)}, want the id of a key`);
  else if (problems.length === 0 && !keys.has(current)) problems.push(`current: there is no key ${describe(current)}`);
  if (problems.length > 0) throw new AofError("INVALID_SETTINGS", problems.join("\n"));
  return new LocalKeyRing(keys, current);
}

function bytesOf(key: unknown): Uint8Array | undefined {
  if (key instanceof Uint8Array) return key.length === keyBytes ? new Uint8Array(key) : undefined;
  if (typeof key !== "string") return undefined;
  // `Buffer.from` skips whatever is not base64: compare with what it should have been.
  const bytes = new Uint8Array(Buffer.from(key, "base64"));
  const isExact = Buffer.from(bytes).toString("base64").replace(/=+$/, "") === key.replace(/=+$/, "");
  return bytes.length === keyBytes && isExact ? bytes : undefined;
}

class LocalKeyRing implements KeyProvider {
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly #current: string;

  constructor(keys: ReadonlyMap<string, Uint8Array>, current: string) {
    this.#keys = keys;
    this.#current = current;
  }

  async wrap(key: Uint8Array, context: KeyContext): Promise<WrappedKey> {
    const keyId = this.#current;
    // Never the log's `random` part: tests replace that one by a seed.
    const nonce = systemRandom.fill(new Uint8Array(nonceBytes));
    const cipher = createCipheriv(algorithm, this.#key(keyId), nonce, { authTagLength: tagBytes });
    cipher.setAAD(boundTo(context));
    const text = cipher.update(key);
    cipher.final();
    return { keyId, wrapped: new Uint8Array(Buffer.concat([nonce, text, cipher.getAuthTag()])) };
  }

  async unwrap({ keyId, wrapped }: WrappedKey, context: KeyContext): Promise<Uint8Array> {
    const key = this.#key(keyId);
    if (wrapped.length !== nonceBytes + keyBytes + tagBytes) throw wrongKey(keyId);
    const decipher = createDecipheriv(algorithm, key, wrapped.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(boundTo(context));
    decipher.setAuthTag(wrapped.subarray(nonceBytes + keyBytes));
    const opened = decipher.update(wrapped.subarray(nonceBytes, nonceBytes + keyBytes));
    try {
      decipher.final();
    } catch {
      opened.fill(0);
      throw wrongKey(keyId);
    }
    return opened;
  }

  #key(keyId: string): Uint8Array {
    const key = this.#keys.get(keyId);
    if (key === undefined) {
      throw new AofError("KEY_NOT_FOUND", `the key ring has no key ${describe(keyId)}; add it`, { keyId });
    }
    return key;
  }
}

function boundTo({ logId, generation }: KeyContext): Uint8Array {
  return new TextEncoder().encode(`varve key ${logId} ${generation}`);
}

function wrongKey(keyId: string): AofError {
  return new AofError("WRONG_KEY", `the key ${describe(keyId)} of the ring is not the one that wrapped the log's key`, {
    keyId,
  });
}
