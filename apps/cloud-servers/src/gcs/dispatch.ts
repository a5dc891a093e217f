/** One request from its head to its answer, without sockets: route, credentials, parameters, handler. */
import type { FaultError } from "../faults/exchange.ts";
import type { Reply } from "../faults/reply.ts";
import { ApiError, errorEnvelope, usualReason } from "./api-error.ts";
import type { Answer, Call } from "./call.ts";
import { refuseHeaders } from "./json-body.ts";
import { methods } from "./methods.ts";
import { checkBearer, grantToken, type TokenIssuer } from "./oauth.ts";
import { selectFields } from "./partial-response.ts";
import type { Service } from "./service.ts";

/** Handles the request. Never throws an ApiError: those are answers. */
export async function handle(service: Service, issuer: TokenIssuer | undefined, call: Call): Promise<Reply> {
  try {
    return toReply(await answer(service, issuer, call), call);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return errorReply(error);
  }
}

async function answer(service: Service, issuer: TokenIssuer | undefined, call: Call): Promise<Answer> {
  if (call.refusal !== undefined || call.operation === "unknown") {
    throw call.refusal ?? new ApiError(404, "notFound", "Not Found");
  }
  if (call.operation === "oauth.token") return grantToken(service, call, issuer);
  checkBearer(issuer, call);
  const method = methods[call.operation];
  refuseHeaders(call.headers);
  call.query.refuseOthers(method.parameters);
  return method.handle(service, call);
}

function toReply({ status, headers = {}, resource, bytes = [] }: Answer, call: Call): Reply {
  if (resource === undefined) return { status, headers, body: bytes };
  const fields = call.query.get("fields");
  const shown = fields === undefined || fields === "" ? resource : selectFields(resource, fields);
  return jsonReply(status, headers, shown);
}

/** As the API sends an error. A 304 has no body. */
export function errorReply(error: ApiError): Reply {
  if (error.status === 304) return { status: 304, headers: error.headers };
  return jsonReply(error.status, error.headers, errorEnvelope(error));
}

/** What a fault asks for, as the API would say it. */
export function faultReply({ status, code, message, retryAfterSeconds }: FaultError): Reply {
  const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  const said = message ?? `A fault made this answer: ${status}.`;
  return errorReply(new ApiError(status, code ?? usualReason(status), said, { headers }));
}

function jsonReply(status: number, headers: Reply["headers"], value: unknown): Reply {
  return {
    status,
    headers: {
      "content-type": "application/json; charset=UTF-8",
      "cache-control": "no-cache, no-store, max-age=0, must-revalidate",
      ...headers,
    },
    body: Buffer.from(JSON.stringify(value)),
  };
}
