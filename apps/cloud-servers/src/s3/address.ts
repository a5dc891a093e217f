/** What a request line and the Host header say: which bucket, which key, which parameters. Pure. */
import { S3Error } from "./s3-error.ts";

/** Where a request goes. */
export interface Address {
  /** Undefined for the service itself. */
  readonly bucket: string | undefined;
  /** Undefined for a bucket. */
  readonly key: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  /** The path's bytes, decoded, as one Latin-1 character each: what a signature covers. */
  readonly pathBytes: string;
  /** Likewise. */
  readonly queryBytes: readonly (readonly [name: string, value: string])[];
}

/**
 * Path style, or virtual-hosted style below `localhost`.
 * @throws S3Error
 */
export function readAddress(target: string, host: string | undefined): Address {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  if (!path.startsWith("/")) throw new S3Error("InvalidURI");
  const pathBytes = percentDecode(path);
  const queryBytes = mark < 0 ? [] : readQuery(target.slice(mark + 1));
  const query = new Map(queryBytes.map(([name, value]) => [utf8(name), utf8(value)]));
  if (query.size !== queryBytes.length) {
    throw new S3Error("InvalidArgument", { message: "A parameter is given more than once" });
  }
  const names = utf8(pathBytes).slice(1);
  const virtual = /^(.+)\.localhost(:\d+)?$/i.exec(host ?? "")?.[1];
  const slash = names.indexOf("/");
  const [bucket, key] =
    virtual !== undefined
      ? [virtual, names]
      : slash < 0
        ? [names, ""]
        : [names.slice(0, slash), names.slice(slash + 1)];
  return {
    bucket: bucket === "" ? undefined : bucket,
    key: key === "" ? undefined : key,
    query,
    pathBytes,
    queryBytes,
  };
}

/** `bucket/key` as copy sources have it, URL-encoded, with or without a leading slash. @throws S3Error */
export function readSource(value: string): { readonly bucket: string; readonly key: string } {
  const mark = value.indexOf("?");
  if (mark >= 0) throw new S3Error("NotImplemented", { message: "Versions of a copy source are not implemented" });
  const match = /^\/?([^/]+)\/(.+)$/s.exec(utf8(percentDecode(value)));
  if (match === null) {
    throw new S3Error("InvalidArgument", {
      message: "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    });
  }
  return { bucket: match[1] ?? "", key: match[2] ?? "" };
}

/** The key of a rename's source, URL-encoded, with or without a leading slash. @throws S3Error */
export function readRenameSource(value: string | undefined): string {
  const key = value === undefined ? "" : utf8(percentDecode(value)).replace(/^\//, "");
  if (key === "") throw new S3Error("InvalidArgument", { message: "x-amz-rename-source must name the source's key" });
  return key;
}

function readQuery(text: string): [string, string][] {
  return text
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const [name = "", value = ""] = part.split(/=(.*)/s);
      return [percentDecode(name.replaceAll("+", " ")), percentDecode(value.replaceAll("+", " "))];
    });
}

function percentDecode(text: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new S3Error("InvalidURI");
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
}

function utf8(latin1: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, "latin1"));
  } catch {
    throw new S3Error("InvalidURI");
  }
}
