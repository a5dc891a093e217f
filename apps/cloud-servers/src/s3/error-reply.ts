import type { FaultError } from "../faults/exchange.ts";
import type { Reply } from "../faults/reply.ts";
import { codeOfStatus, messageOfCode, type S3Error } from "./s3-error.ts";
import { xmlDocument, type XmlElement } from "./xml-writer.ts";

/** What identifies a request in logs; in every answer. */
export interface RequestIdentity {
  readonly requestId: string;
  readonly hostId: string;
  /** The path as it came. */
  readonly resource: string;
}

/** A refusal as a document. */
export function errorReply(error: S3Error, identity: RequestIdentity): Reply {
  const details = Object.entries(error.details);
  return { status: error.status, headers: error.headers, ...errorBody(error.code, error.message, details, identity) };
}

/** What a fault asks for, as S3 would say it. */
export function faultReply(error: FaultError, identity: RequestIdentity): Reply {
  const { status, retryAfterSeconds } = error;
  const code = error.code ?? codeOfStatus(status);
  const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  const body = errorBody(code, error.message ?? messageOfCode(code), [], identity);
  return { status, headers: { ...headers }, ...body };
}

/** With the headers that every answer has. An answer to HEAD has no body, whatever became of the request. */
export function finishReply(reply: Reply, { requestId, hostId }: RequestIdentity, isHead: boolean): Reply {
  const { body, announcedBytes, ...rest } = reply;
  const type = body !== undefined && reply.headers["content-type"] === undefined;
  return {
    ...rest,
    headers: {
      ...(type && { "content-type": "application/xml" }),
      ...reply.headers,
      "x-amz-request-id": requestId,
      "x-amz-id-2": hostId,
    },
    ...(isHead ? { announcedBytes: announcedBytes ?? 0 } : body !== undefined && { body }),
  };
}

function errorBody(
  code: string,
  message: string,
  details: readonly XmlElement[],
  { requestId, hostId, resource }: RequestIdentity,
): Pick<Reply, "body"> & { body: Uint8Array } {
  return {
    body: xmlDocument("Error", [
      ["Code", code],
      ["Message", message],
      ["Resource", resource],
      ...details,
      ["RequestId", requestId],
      ["HostId", hostId],
    ]),
  };
}
