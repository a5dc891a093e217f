/** From a method and a path to an operation. Segments are cut first and decoded once, so an object's "/" comes as %2F. */
import type { GcsOperation } from "./operation.ts";
import type { Target } from "./call.ts";
import { ApiError } from "./api-error.ts";
import { decodeOnce, type Query, wantsMedia } from "./query.ts";

/** What a request is about. */
export interface Route {
  readonly operation: GcsOperation;
  readonly target: Target;
}

/** @throws ApiError 400, 404 or 405; a request that no method of the API has */
export function route(method: string, path: string, query: Query, contentRange: string | undefined): Route {
  if (path === "/token") return only(method, { POST: "oauth.token" }, {});
  if (path === "/batch" || path.startsWith("/batch/")) return { operation: "batch", target: {} };
  const isMedia = wantsMedia(query);
  const upload = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(path);
  if (upload !== null) {
    if (isMedia) throw mediaOfNoObject();
    return routeUpload(method, { bucket: decodeOnce(upload[1] ?? "") }, query, contentRange);
  }
  const rest = /^\/(?:download\/)?storage\/v1\/b\/(.+)$/.exec(path)?.[1];
  if (rest === undefined) throw new ApiError(404, "notFound", "Not Found");
  const segments = rest.split("/").map(decodeOnce);
  const found = routeObjects(method, segments, isMedia);
  if (isMedia && found.operation !== "objects.getMedia") throw mediaOfNoObject();
  return found;
}

function mediaOfNoObject(): ApiError {
  return new ApiError(400, "invalidAltValue", "alt=media is for reading one object.");
}

function routeUpload(method: string, target: Target, query: Query, contentRange: string | undefined): Route {
  if (method === "POST") {
    const uploadType = query.require("uploadType");
    const operation = startOperations[uploadType];
    if (operation === undefined) throw new ApiError(400, "invalid", `Invalid upload type: ${uploadType}`);
    return { operation, target };
  }
  const put = contentRange?.startsWith("bytes */") === true ? "uploads.status" : "uploads.put";
  return only(method, { PUT: put, DELETE: "uploads.cancel" }, target);
}

const startOperations: Readonly<Record<string, GcsOperation | undefined>> = {
  media: "objects.insert.media",
  multipart: "objects.insert.multipart",
  resumable: "uploads.start",
};

function routeObjects(method: string, segments: readonly string[], isMedia: boolean): Route {
  const [bucket = "", o, object, verb, b, destinationBucket, destinationO, destinationObject] = segments;
  const target: Target = { bucket };
  const { length } = segments;
  if (length === 1) return only(method, { GET: "buckets.get" }, target);
  if (o !== "o") throw new ApiError(404, "notFound", "Not Found");
  if (length === 2) {
    if (method === "POST") throw new ApiError(400, "wrongUrlForUpload", "Uploads go to /upload/storage/v1/…");
    return only(method, { GET: "objects.list" }, target);
  }
  const named: Target = { bucket, object: object ?? "" };
  if (length === 3) {
    const get = isMedia ? "objects.getMedia" : "objects.get";
    return only(method, { GET: get, PATCH: "objects.patch", DELETE: "objects.delete" }, named);
  }
  if (length === 4 && verb === "compose") return only(method, { POST: "objects.compose" }, named);
  if (length === 6 && verb === "moveTo" && b === "o") {
    return only(method, { POST: "objects.move" }, { ...named, destinationObject: destinationBucket ?? "" });
  }
  if (length === 8 && b === "b" && destinationO === "o") {
    const both: Target = {
      ...named,
      destinationBucket: destinationBucket ?? "",
      destinationObject: destinationObject ?? "",
    };
    if (verb === "rewriteTo") return only(method, { POST: "objects.rewrite" }, both);
    if (verb === "copyTo") return only(method, { POST: "objects.copy" }, both);
  }
  throw new ApiError(404, "notFound", "Not Found");
}

function only(method: string, operations: Readonly<Record<string, GcsOperation>>, target: Target): Route {
  const operation = operations[method];
  if (operation === undefined) {
    throw new ApiError(405, "methodNotAllowed", `${method} is not a method of this path here.`, {
      headers: { allow: Object.keys(operations).join(", ") },
    });
  }
  return { operation, target };
}
