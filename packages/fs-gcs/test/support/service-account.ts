import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { GcsCredentials } from "../../src/google-credentials.ts";

export interface TestAccount {
  readonly credentials: GcsCredentials;
  readonly publicKey: KeyObject;
  /** Lines of the key's PEM form: none of them may show anywhere. */
  readonly secrets: readonly string[];
}

/** Making one takes long. */
let keys: ReturnType<typeof generateKeys> | undefined;
const generateKeys = (): { privateKey: KeyObject; publicKey: KeyObject } =>
  generateKeyPairSync("rsa", { modulusLength: 2048 });

/** A service account whose tokens come from `tokenUri`. */
export function createTestAccount(tokenUri: string): TestAccount {
  keys ??= generateKeys();
  const { privateKey, publicKey } = keys;
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    credentials: {
      client_email: "robot@project.iam.gserviceaccount.com",
      private_key: pem,
      private_key_id: "key-1",
      token_uri: tokenUri,
    },
    publicKey,
    secrets: pem.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----")),
  };
}
