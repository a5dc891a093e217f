/** One request from its head to its answer, without sockets: route, credentials, parameters, handler, faults. */
import { ApiError, errorEnvelope, usualReason } from "./api-error.ts";
import type { Answer, Call } from "./call.ts";
import { corruptPieces, corruptStream } from "../faults/corrupt-bytes.ts";
import type { FaultAction } from "./fault-action.ts";
import { readAll, refuseHeaders } from "./json-body.ts";
import { methods } from "./methods.ts";
import { checkBearer, grantToken, type TokenIssuer } from "./oauth.ts";
import { selectFields } from "./partial-response.ts";
import type { Service } from "./service.ts";

/** Ready to be written. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Uint8Array[];
}

/** Handles the request as if nothing went wrong. Never throws an ApiError: those are answers. */
async function handle(service: Service, issuer: TokenIssuer | undefined, call: Call): Promise<WireAnswer> {
  try {
    return toWire(await answer(service, issuer, call), call);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return errorAnswer(error);
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

/**
 * Handles the request with a fault in its course.
 * @returns undefined when no answer is sent: the shell does what the fault says with the connection
 */
export async function handleWithFault(
  service: Service,
  issuer: TokenIssuer | undefined,
  call: Call,
  fault: FaultAction | undefined,
  signal: AbortSignal,
): Promise<WireAnswer | undefined> {
  if (fault === undefined) return handle(service, issuer, call);
  switch (fault.kind) {
    case "latency":
      await service.clock.sleep(fault.latencyMs, { signal });
      return handle(service, issuer, call);
    case "status":
      if (fault.when === "after-commit") await handle(service, issuer, call);
      return errorAnswer(madeUp(fault.status, fault.retryAfterSeconds));
    case "reset":
    case "hang":
      if (fault.when === "after-commit") await handle(service, issuer, call);
      return undefined;
    case "duplicate": {
      const body = await readAll(call.body, service.budget.limitBytes);
      await handle(service, issuer, { ...call, body: once(body) });
      return handle(service, issuer, { ...call, body: once(body) });
    }
    case "corrupt": {
      if (fault.direction === "request") {
        return handle(service, issuer, { ...call, body: corruptStream(call.body, fault.atByte) });
      }
      const sound = await handle(service, issuer, call);
      return { ...sound, chunks: corruptPieces(sound.chunks, fault.atByte) };
    }
    case "cut":
    case "stall":
      return handle(service, issuer, call);
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

function madeUp(status: number, retryAfterSeconds: number | undefined): ApiError {
  const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  return new ApiError(status, usualReason(status), `A fault made this answer: ${status}.`, { headers });
}

function toWire({ status, headers, resource, bytes }: Answer, call: Call): WireAnswer {
  if (resource === undefined) return { status, headers: withLength(headers, bytes ?? [], status), chunks: bytes ?? [] };
  const fields = call.query.get("fields");
  const shown = fields === undefined || fields === "" ? resource : selectFields(resource, fields);
  return jsonAnswer(status, headers, shown);
}

/** As the API sends an error. A 304 has no body. */
export function errorAnswer(error: ApiError): WireAnswer {
  if (error.status === 304) return { status: 304, headers: error.headers, chunks: [] };
  return jsonAnswer(error.status, error.headers, errorEnvelope(error));
}

function jsonAnswer(status: number, headers: Answer["headers"], value: unknown): WireAnswer {
  const chunks = [Buffer.from(JSON.stringify(value))];
  const json = { "cache-control": "no-cache, no-store, max-age=0, must-revalidate", ...headers };
  return {
    status,
    headers: withLength({ "content-type": "application/json; charset=UTF-8", ...json }, chunks, status),
    chunks,
  };
}

function withLength(headers: Answer["headers"], chunks: readonly Uint8Array[], status: number): Record<string, string> {
  if (status === 204) return { ...headers };
  return { ...headers, "content-length": String(chunks.reduce((sum, chunk) => sum + chunk.length, 0)) };
}
