/** Which handler does an operation, and which query parameters it has beyond those of every method. */
import { notImplemented } from "./api-error.ts";
import type { Answer, Call } from "./call.ts";
import { deleteObject, patchObject } from "./change.ts";
import { composeObject } from "./compose.ts";
import { conditionNames } from "./conditions.ts";
import { copyObject, moveObject, rewriteObject, rewriteParameters } from "./copy.ts";
import { insertMedia, insertMultipart } from "./insert.ts";
import { listObjects } from "./list.ts";
import type { GcsOperation } from "./operation.ts";
import { getBucket, getMedia, getObject } from "./read.ts";
import { cancelUpload, putUpload, startUpload } from "./resumable.ts";
import type { Service } from "./service.ts";

/** One method of the API. */
export interface Method {
  readonly parameters: readonly string[];
  readonly handle: (service: Service, call: Call) => Promise<Answer>;
}

const conditions = conditionNames("");
const both = [...conditions, ...conditionNames("Source")];
const insert = [...conditions, "name", "contentEncoding"];
const list = "prefix delimiter startOffset endOffset maxResults pageToken includeTrailingDelimiter".split(" ");
const metageneration = conditions.filter((name) => name.startsWith("ifMetageneration"));

/** Those that the dispatch does itself are absent. */
export const methods: Readonly<Partial<Record<GcsOperation, Method>>> = {
  batch: {
    parameters: [],
    handle: async () => {
      throw notImplemented("batches");
    },
  },
  "buckets.get": { parameters: metageneration, handle: getBucket },
  "objects.compose": { parameters: ["ifGenerationMatch", "ifMetagenerationMatch"], handle: composeObject },
  "objects.copy": { parameters: [...both, "sourceGeneration"], handle: copyObject },
  "objects.delete": { parameters: [...conditions, "generation"], handle: deleteObject },
  "objects.get": { parameters: [...conditions, "generation"], handle: getObject },
  "objects.getMedia": { parameters: [...conditions, "generation"], handle: getMedia },
  "objects.insert.media": { parameters: insert, handle: insertMedia },
  "objects.insert.multipart": { parameters: insert, handle: insertMultipart },
  "objects.list": { parameters: list, handle: listObjects },
  "objects.move": { parameters: both, handle: moveObject },
  "objects.patch": { parameters: [...conditions, "generation"], handle: patchObject },
  "objects.rewrite": {
    parameters: [...rewriteParameters, "rewriteToken"],
    handle: rewriteObject,
  },
  "uploads.cancel": { parameters: [...insert, "upload_id"], handle: cancelUpload },
  "uploads.put": { parameters: [...insert, "upload_id"], handle: putUpload },
  "uploads.start": { parameters: insert, handle: startUpload },
  "uploads.status": { parameters: [...insert, "upload_id"], handle: putUpload },
};
