/**
 * Errors as the JSON API sends them: a status, a reason that programs act on, and an envelope around both.
 * https://cloud.google.com/storage/docs/json_api/v1/status-codes
 */

/** Where in the request the fault lies, as far as the API names it. */
export interface ErrorPlace {
  readonly locationType: "header" | "parameter";
  readonly location: string;
}

/** A refusal, thrown by whatever notices and sent by the dispatch. */
export class ApiError extends Error {
  override readonly name: string = "ApiError";
  readonly status: number;
  readonly reason: string;
  readonly place: ErrorPlace | undefined;
  /** Headers that go with the answer, such as Content-Range of a 416. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    reason: string,
    message: string,
    details: { readonly place?: ErrorPlace; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.place = details.place;
    this.headers = details.headers ?? {};
  }
}

/** The body of an error's answer. */
export function errorEnvelope({ status, reason, message, place }: ApiError): object {
  const domain = status === 429 ? "usageLimits" : "global";
  return { error: { code: status, message, errors: [{ message, domain, reason, ...place }] } };
}

/** 400: the request contradicts the API. */
export function invalid(message: string): ApiError {
  return new ApiError(400, "invalid", message);
}

/** 400: one query parameter does. */
export function invalidParameter(name: string, problem: string): ApiError {
  return new ApiError(400, "invalidParameter", `Invalid value for ${name}: ${problem}.`, {
    place: { locationType: "parameter", location: name },
  });
}

/** 400: something is missing. */
export function required(what: string): ApiError {
  return new ApiError(400, "required", `Required parameter: ${what}`);
}

/** 501: a part of the API that this server leaves out; it says so rather than act otherwise than the service. */
export function notImplemented(what: string): ApiError {
  return new ApiError(501, "notImplemented", `This server does not implement ${what}.`);
}

/** 404 for an object. */
export function noSuchObject(bucket: string, name: string): ApiError {
  return new ApiError(404, "notFound", `No such object: ${bucket}/${name}`);
}

/** 412: a condition of the request does not hold. */
export function conditionNotMet(condition: string): ApiError {
  return new ApiError(412, "conditionNotMet", `At least one of the pre-conditions did not hold: ${condition}.`, {
    place: { locationType: "parameter", location: condition },
  });
}

/** The reason that usually comes with a status; for answers that a fault makes up. */
export function usualReason(status: number): string {
  return usualReasons[status] ?? (status >= 500 ? "backendError" : "badRequest");
}

const usualReasons: Readonly<Record<number, string>> = {
  400: "badRequest",
  401: "authError",
  403: "forbidden",
  404: "notFound",
  405: "methodNotAllowed",
  408: "requestTimeout",
  409: "conflict",
  410: "gone",
  412: "conditionNotMet",
  413: "uploadTooLarge",
  416: "requestedRangeNotSatisfiable",
  429: "rateLimitExceeded",
  500: "internalError",
  501: "notImplemented",
};
