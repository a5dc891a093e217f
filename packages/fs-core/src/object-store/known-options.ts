/** Which options each call takes. A misspelt condition would otherwise be a write without one. */
import { closestName } from "../kit/closest-name.ts";
import type {
  CallOptions,
  CopyOptions,
  DeleteOptions,
  GetOptions,
  GetRangesOptions,
  ListOptions,
  ListUploadsOptions,
  ProbeOptions,
  PutOptions,
  RenameOptions,
  UploadOptions,
} from "./object-store.ts";
import { StoreError } from "./store-error.ts";

/** Every name of `T`: one that is missing, or one too many, does not compile. */
type NamesOf<T> = Readonly<Record<keyof T, true>>;

const call: NamesOf<CallOptions> = { signal: true, timeoutMs: true };
const condition = { ifAbsent: true, ifMatch: true } as const;
const put: NamesOf<PutOptions> = {
  ...call,
  ...condition,
  metadata: true,
  contentType: true,
  checksum: true,
  putId: true,
};
const upload: NamesOf<UploadOptions> = { ...put, partBytes: true, concurrency: true, onProgress: true };
const get: NamesOf<GetOptions> = { ...call, range: true, ifMatch: true };
const getRanges: NamesOf<GetRangesOptions> = { ...call, ifMatch: true, gapBytes: true };
const copy: NamesOf<CopyOptions> = { ...call, ...condition, ifSourceMatch: true, putId: true };
const rename: NamesOf<RenameOptions> = { ...call, ifAbsent: true };
const remove: NamesOf<DeleteOptions> = { ...call, ifMatch: true };
const list: NamesOf<ListOptions> = { ...call, prefix: true, startAfter: true, delimiter: true, pageSize: true };
const listIncompleteUploads: NamesOf<ListUploadsOptions> = { ...call, prefix: true };
const probe: NamesOf<ProbeOptions> = { ...call, prefix: true };

/** A call that takes options. */
export type CallName =
  | ("get" | "getRanges" | "head" | "list" | "listIncompleteUploads" | "probe")
  | ("put" | "putStream" | "putFile" | "createWriter" | "copy" | "rename")
  | ("delete" | "deleteMany" | "abortIncompleteUpload");

const optionNames: Readonly<Record<CallName, Readonly<Record<string, true>>>> = {
  get,
  getRanges,
  head: call,
  list,
  listIncompleteUploads,
  probe,
  put,
  putStream: upload,
  putFile: upload,
  createWriter: upload,
  copy,
  rename,
  delete: remove,
  deleteMany: call,
  abortIncompleteUpload: call,
};

/** @throws StoreError `INVALID_ARGUMENT` with every option that the call does not take */
export function assertKnownOptions(name: CallName, options: unknown): void {
  if (typeof options !== "object" || options === null) {
    throw new StoreError("INVALID_ARGUMENT", `${name}: options: want an object`, { operation: name });
  }
  const known = optionNames[name];
  const unknown = Object.keys(options).filter((option) => !Object.hasOwn(known, option));
  if (unknown.length === 0) return;
  const problems = unknown.map((option) => problemOf(option, Object.keys(known)));
  throw new StoreError("INVALID_ARGUMENT", `${name}: ${problems.join("; ")}`, { operation: name });
}

function problemOf(option: string, known: readonly string[]): string {
  const meant = closestName(option, known);
  const shown = JSON.stringify(option.slice(0, 64));
  return meant === undefined
    ? `${shown} is none of the options ${known.join(", ")}`
    : `there is no option ${shown}; ${meant} is meant?`;
}
