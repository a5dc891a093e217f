/**
 * One parser for every storage URL. Credentials have no place in one: they are refused, and never repeated in a message.
 *
 * | backend | forms |
 * |---|---|
 * | local  | `file:///mnt/nvme1/component` |
 * | memory | `memory://name/component` |
 * | s3     | `s3://bucket/component` |
 * | azure  | `adls://account.dfs.core.windows.net/container/component`, `az://account/container/component`, `abfss://container@account.dfs.core.windows.net/component` |
 * | gcs    | `gs://bucket/component`, `gcs://bucket/component` |
 */
import { StoreError } from "./store-error.ts";

/** Who serves a URL. */
export type StoreBackendName = "local" | "memory" | "s3" | "azure" | "gcs";

/** A URL, taken apart. */
export interface StoreUrl {
  readonly backend: StoreBackendName;
  /** In the form to show, to keep and to compare. */
  readonly href: string;
  /** Bucket, container, or the name of a memory store; empty for `local`. */
  readonly bucket: string;
  /** Azure: the storage account. */
  readonly account: string | undefined;
  /** Azure: the host, when the URL gave one. */
  readonly host: string | undefined;
  /** `local`: the absolute directory. Otherwise the folder in the bucket, without slashes at its ends; may be empty. */
  readonly path: string;
}

const backends: Readonly<Record<string, StoreBackendName>> = {
  file: "local",
  memory: "memory",
  s3: "s3",
  adls: "azure",
  abfss: "azure",
  abfs: "azure",
  az: "azure",
  azure: "azure",
  gcs: "gcs",
  gs: "gcs",
};

/** Every scheme that {@link parseStoreUrl} takes. */
export const storeSchemes: readonly string[] = Object.keys(backends);

const form = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(?:\/(.*))?$/s;

/** @throws StoreError `INVALID_ARGUMENT`, naming what is wrong and what is wanted */
export function parseStoreUrl(url: string): StoreUrl {
  if (typeof url !== "string") throw refused("a storage URL is a string");
  const [, scheme = "", authority = "", rawPath = ""] = form.exec(url) ?? [];
  const backend = backends[scheme];
  if (scheme === "") throw refused("a storage URL looks like s3://bucket/folder or file:///directory");
  if (backend === undefined) {
    throw refused(`the scheme ${JSON.stringify(scheme.slice(0, 20))} is not one of ${storeSchemes.join(", ")}`);
  }
  if (/[?#]/.test(authority + rawPath)) {
    throw refused(`a ${scheme} URL takes no query and no fragment: options and credentials are given as settings`);
  }
  if (authority.includes(":") && authority.includes("@")) {
    throw refused(`a ${scheme} URL holds no credentials: give them as settings, or through the environment`);
  }
  const path = decodePath(rawPath, scheme);
  switch (backend) {
    case "local":
      return localUrl(authority, path);
    case "azure":
      return azureUrl(scheme, authority, path);
    default:
      return bucketUrl(backend, scheme, authority, path);
  }
}

function localUrl(authority: string, path: string): StoreUrl {
  if (authority !== "" && authority !== "localhost") {
    throw refused("a file URL names no host: write file:///directory, with three slashes");
  }
  const directory = withoutEndSlashes(path);
  if (directory === "") throw refused("a file URL names a directory below the root of the file system");
  assertPlainParts(directory, "file");
  const isDrive = /^[A-Za-z]:(?:\/|$)/.test(directory);
  return {
    backend: "local",
    href: `file:///${encodePath(directory)}`,
    bucket: "",
    account: undefined,
    host: undefined,
    path: isDrive ? directory : `/${directory}`,
  };
}

function bucketUrl(backend: StoreBackendName, scheme: string, bucket: string, path: string): StoreUrl {
  const wanted = backend === "memory" ? /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/ : /^[a-z0-9][a-z0-9._-]{1,221}$/;
  if (!wanted.test(bucket)) {
    throw refused(`${scheme}://<bucket>/<folder>: the bucket's name is missing or has characters that none has`);
  }
  const folder = withoutEndSlashes(path);
  assertPlainParts(folder, scheme);
  const canonical = backend === "gcs" ? "gs" : scheme;
  return {
    backend,
    href: `${canonical}://${bucket}${folder === "" ? "" : `/${encodePath(folder)}`}`,
    bucket,
    account: undefined,
    host: undefined,
    path: folder,
  };
}

function azureUrl(scheme: string, authority: string, path: string): StoreUrl {
  const at = authority.lastIndexOf("@");
  const server = authority.slice(at + 1);
  const [first = "", ...others] = withoutEndSlashes(path).split("/");
  const container = at < 0 ? first : authority.slice(0, at);
  const folder = at < 0 ? others.join("/") : withoutEndSlashes(path);
  const account = server.split(".", 1)[0] ?? "";
  if (!/^[a-z0-9]{3,24}$/.test(account)) {
    throw refused(`${scheme}://<account>/<container>/<folder>: an account has 3 to 24 lower-case letters and digits`);
  }
  if (!/^(?:[a-z0-9](?:-?[a-z0-9]){2,62}|\$root|\$web)$/.test(container)) {
    throw refused(
      `${scheme}://<account>/<container>/<folder>: the container is missing or has characters that none has`,
    );
  }
  assertPlainParts(folder, scheme);
  return {
    backend: "azure",
    href: `az://${account}/${container}${folder === "" ? "" : `/${encodePath(folder)}`}`,
    bucket: container,
    account,
    host: server.includes(".") ? server : undefined,
    path: folder,
  };
}

function decodePath(text: string, scheme: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused(`the path of the ${scheme} URL has a % that begins no escape; write %25`);
  }
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function withoutEndSlashes(path: string): string {
  return path.replace(/^\/+/, "").replace(/\/+$/, "");
}

function assertPlainParts(path: string, scheme: string): void {
  if (path === "") return;
  for (const part of path.split("/")) {
    if (part === "" || part === "." || part === ".." || /[\p{Control}\\\p{Surrogate}]/u.test(part)) {
      throw refused(`the path of the ${scheme} URL has an empty part, . or .., a control character or a backslash`);
    }
  }
}

function refused(problem: string): StoreError {
  return new StoreError("INVALID_ARGUMENT", `storage URL: ${problem}`);
}
