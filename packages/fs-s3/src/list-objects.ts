/** Pages of objects, and of uploads under way. */
import { ListMultipartUploadsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { DriverCall, DriverList, DriverListPage, IncompleteUpload } from "@varve/fs-core";
import { unescaped, versionOf } from "./object-address.ts";
import { incomplete, type S3Requests, type Subject } from "./s3-requests.ts";

/** A page of {@link listUploadsPage}. */
export interface UploadsPage {
  readonly uploads: readonly IncompleteUpload[];
  readonly nextPageToken: string | undefined;
}

export async function listPage(requests: S3Requests, request: DriverList, call: DriverCall): Promise<DriverListPage> {
  const { address } = requests;
  const { prefix, startAfter, delimiter, pageSize, pageToken } = request;
  const command = new ListObjectsV2Command({
    Bucket: address.bucket,
    Prefix: address.keyInBucket(prefix),
    MaxKeys: pageSize,
    // XML cannot hold every letter that a key may have.
    EncodingType: "url",
    ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
    ...(pageToken === undefined ? {} : { ContinuationToken: pageToken }),
    // A token remembers it.
    ...(startAfter === undefined || pageToken !== undefined ? {} : { StartAfter: address.keyInBucket(startAfter) }),
  });
  const subject: Subject = { operation: "list", isWrite: false };
  const answer = await requests.send(subject, call, (client, options) => client.send(command, options));
  const { Contents: contents = [], CommonPrefixes: folders = [], EncodingType: encoding } = answer;
  // Any page of XML reads as a listing of nothing.
  if (answer.IsTruncated === undefined && answer.Name === undefined) throw incomplete("listing", subject);
  if (answer.IsTruncated === true && answer.NextContinuationToken === undefined) {
    throw incomplete("token for the rest of the listing", subject);
  }
  return {
    objects: contents.flatMap(({ Key, ETag, Size, LastModified }) => {
      if (Key === undefined || ETag === undefined || Size === undefined || LastModified === undefined) {
        throw incomplete("key, ETag, size or time for an object", subject);
      }
      const key = address.ourKey(unescaped(Key, encoding));
      if (key === undefined) return [];
      return [{ key, size: Size, version: versionOf(ETag), lastModifiedMs: LastModified.getTime() }];
    }),
    prefixes: folders.flatMap(({ Prefix }) => {
      const folder = address.ourKey(unescaped(Prefix ?? "", encoding));
      return folder === undefined ? [] : [folder];
    }),
    nextPageToken: answer.IsTruncated === true ? answer.NextContinuationToken : undefined,
  };
}

export async function listUploadsPage(
  requests: S3Requests,
  { prefix, pageToken }: { readonly prefix: string; readonly pageToken: string | undefined },
  call: DriverCall,
): Promise<UploadsPage> {
  const { address, settings } = requests;
  const [keyMarker, uploadIdMarker] = pageToken === undefined ? [] : (JSON.parse(pageToken) as (string | null)[]);
  const command = new ListMultipartUploadsCommand({
    Bucket: address.bucket,
    Prefix: prefixOfUploads(address.keyInBucket(prefix), settings.isExpress),
    // Markers of directory buckets are no keys, and go back as they came.
    ...(settings.isExpress ? {} : { EncodingType: "url" }),
    ...(typeof keyMarker === "string" ? { KeyMarker: keyMarker } : {}),
    ...(typeof uploadIdMarker === "string" ? { UploadIdMarker: uploadIdMarker } : {}),
  });
  const subject: Subject = { operation: "listUploads", isWrite: false };
  const answer = await requests.send(subject, call, (client, options) => client.send(command, options));
  const { Uploads: uploads = [], EncodingType: encoding, NextKeyMarker: next } = answer;
  if (answer.IsTruncated === undefined && answer.Bucket === undefined) throw incomplete("listing", subject);
  if (answer.IsTruncated === true && next === undefined)
    throw incomplete("marker for the rest of the listing", subject);
  return {
    uploads: uploads.flatMap(({ Key, UploadId, Initiated }) => {
      const key = address.ourKey(unescaped(Key ?? "", encoding));
      if (key === undefined || UploadId === undefined) return [];
      return [{ key, uploadId: UploadId, startedMs: Initiated?.getTime() }];
    }),
    nextPageToken:
      answer.IsTruncated === true && next !== undefined
        ? JSON.stringify([unescaped(next, encoding), answer.NextUploadIdMarker ?? null])
        : undefined,
  };
}

/** Directory buckets take whole folders only; the engine leaves out what is too much. */
function prefixOfUploads(prefix: string, isExpress: boolean): string {
  return isExpress ? prefix.slice(0, prefix.lastIndexOf("/") + 1) : prefix;
}
