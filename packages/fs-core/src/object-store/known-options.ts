/** Which options each call takes. A misspelt condition would otherwise be a write without one. */
import { namesOf, unknownNames } from "../kit/unknown-names.ts";
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

const callNames = { signal: true, timeoutMs: true } as const;
const conditionNames = { ifAbsent: true, ifMatch: true } as const;
const contentNames = { metadata: true, contentType: true, checksum: true, putId: true } as const;
const putNames = { ...callNames, ...conditionNames, ...contentNames } as const;

const call = namesOf<CallOptions>(callNames);
const upload = namesOf<UploadOptions>({ ...putNames, partBytes: true, concurrency: true, onProgress: true });

/** A call that takes options. */
export type CallName =
  | ("get" | "getRanges" | "head" | "list" | "listIncompleteUploads" | "probe")
  | ("put" | "putStream" | "putFile" | "createWriter" | "copy" | "rename")
  | ("delete" | "deleteMany" | "abortIncompleteUpload");

const optionNames: Readonly<Record<CallName, readonly string[]>> = {
  get: namesOf<GetOptions>({ ...callNames, range: true, ifMatch: true }),
  getRanges: namesOf<GetRangesOptions>({ ...callNames, ifMatch: true, gapBytes: true }),
  head: call,
  list: namesOf<ListOptions>({ ...callNames, prefix: true, startAfter: true, delimiter: true, pageSize: true }),
  listIncompleteUploads: namesOf<ListUploadsOptions>({ ...callNames, prefix: true }),
  probe: namesOf<ProbeOptions>({ ...callNames, prefix: true }),
  put: namesOf<PutOptions>(putNames),
  putStream: upload,
  putFile: upload,
  createWriter: upload,
  copy: namesOf<CopyOptions>({ ...callNames, ...conditionNames, ifSourceMatch: true, putId: true }),
  rename: namesOf<RenameOptions>({ ...callNames, ifAbsent: true }),
  delete: namesOf<DeleteOptions>({ ...callNames, ifMatch: true }),
  deleteMany: call,
  abortIncompleteUpload: call,
};

/** @throws StoreError `INVALID_ARGUMENT` with every option that the call does not take */
export function assertKnownOptions(name: CallName, options: unknown): void {
  if (typeof options !== "object" || options === null) {
    throw new StoreError("INVALID_ARGUMENT", `${name}: options: want an object`, { operation: name });
  }
  const problems = unknownNames(options, optionNames[name]);
  if (problems.length === 0) return;
  throw new StoreError("INVALID_ARGUMENT", `${name}: ${problems.join("; ")}`, { operation: name });
}
