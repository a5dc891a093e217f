/**
 * Credentials that this package exchanges for tokens itself: the key of a service account, and what `gcloud` keeps of a
 * user. (Google's library would do it too, without a signal, with retries of its own, and with a warning on the console.)
 * Kinds that name programs to run or addresses to ask are left to application default credentials, where the operator of
 * the machine chose them.
 */
import { Secret, unknownNames } from "@varve/fs-core";
import { createPrivateKey, type KeyObject } from "node:crypto";

/** The key of a service account: its JSON file's fields. Those that are not named here may be there and say nothing. */
export interface GcsCredentials {
  readonly client_email: string;
  /** PEM. */
  readonly private_key: string;
  /** Default: left to Google to find out. */
  readonly private_key_id?: string;
  /** Where tokens come from. Default `https://oauth2.googleapis.com/token`. */
  readonly token_uri?: string;
}

/** What tokens are asked for with. */
export type TokenGrant =
  | {
      readonly kind: "service-account";
      readonly clientEmail: string;
      readonly keyId: string | undefined;
      readonly privateKey: Secret<KeyObject>;
      readonly tokenUri: string;
    }
  | {
      readonly kind: "user";
      readonly clientId: string;
      readonly clientSecret: Secret<string>;
      readonly refreshToken: Secret<string>;
      readonly tokenUri: string;
    };

const defaultTokenUri = "https://oauth2.googleapis.com/token";

const keyFields = ["client_email", "private_key", "private_key_id", "token_uri"];
/** Of the same file, without meaning for tokens. */
const otherFields = [
  "type",
  "project_id",
  "client_id",
  "auth_uri",
  "auth_provider_x509_cert_url",
  "client_x509_cert_url",
  "universe_domain",
];

/**
 * @param path of the value, for messages
 * @param problems what is wrong is added here, without any value
 */
export function serviceAccountGrant(value: unknown, path: string, problems: string[]): TokenGrant | undefined {
  if (typeof value !== "object" || value === null) {
    problems.push(`${path}: want { client_email, private_key }`);
    return undefined;
  }
  const before = problems.length;
  const fields = value as Readonly<Record<string, unknown>>;
  const own = Object.fromEntries(Object.entries(fields).filter(([name]) => !otherFields.includes(name)));
  problems.push(...unknownNames(own, keyFields, `${path}.`));
  const { type = "service_account", universe_domain: universe = "googleapis.com" } = fields;
  if (type !== "service_account") problems.push(`${path}.type: want service_account`);
  if (universe !== "googleapis.com") problems.push(`${path}.universe_domain: only googleapis.com is supported`);
  const clientEmail = textOf(fields, "client_email", path, problems);
  const pem = textOf(fields, "private_key", path, problems);
  const privateKey = pem === "" ? undefined : privateKeyOf(pem, path, problems);
  const keyId = fields["private_key_id"] === undefined ? undefined : textOf(fields, "private_key_id", path, problems);
  const tokenUri = tokenUriOf(fields, path, problems);
  if (privateKey === undefined || problems.length > before) return undefined;
  return { kind: "service-account", clientEmail, keyId, privateKey: new Secret(privateKey), tokenUri };
}

/** Of a key file's content. See {@link serviceAccountGrant}. */
export function keyFileGrant(content: unknown, path: string, problems: string[]): TokenGrant | undefined {
  const fields = (typeof content === "object" && content !== null ? content : {}) as Readonly<Record<string, unknown>>;
  switch (fields["type"]) {
    case "service_account":
      return serviceAccountGrant(content, path, problems);
    case "authorized_user": {
      const before = problems.length;
      const grant: TokenGrant = {
        kind: "user",
        clientId: textOf(fields, "client_id", path, problems),
        clientSecret: new Secret(textOf(fields, "client_secret", path, problems)),
        refreshToken: new Secret(textOf(fields, "refresh_token", path, problems)),
        tokenUri: tokenUriOf(fields, path, problems),
      };
      return problems.length > before ? undefined : grant;
    }
    default:
      problems.push(
        `${path}: want a file whose type is service_account or authorized_user; for others set ` +
          "GOOGLE_APPLICATION_CREDENTIALS to the file and give no credentials, or give an authClient",
      );
      return undefined;
  }
}

/** Whether what is sent to `url` stays on this machine or is encrypted. */
export function isSafeForSecrets(url: URL): boolean {
  return url.protocol === "https:" || /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
}

function tokenUriOf(fields: Readonly<Record<string, unknown>>, path: string, problems: string[]): string {
  const { token_uri: given = defaultTokenUri } = fields;
  const url = typeof given === "string" && URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || !isSafeForSecrets(url)) {
    problems.push(`${path}.token_uri: want an https URL`);
    return "";
  }
  return url.href;
}

function privateKeyOf(pem: string, path: string, problems: string[]): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "rsa") return key;
  } catch {
    // The reason is OpenSSL's, about a secret.
  }
  problems.push(`${path}.private_key: not an RSA key in PEM form`);
  return undefined;
}

function textOf(fields: Readonly<Record<string, unknown>>, name: string, path: string, problems: string[]): string {
  const value = fields[name];
  if (typeof value === "string" && value !== "") return value;
  problems.push(`${path}.${name}: want text`);
  return "";
}
