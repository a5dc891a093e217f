/** One request and its answer, apart from sockets: what handlers see. */
import type { ApiError } from "./api-error.ts";
import type { GcsOperation } from "./operation.ts";
import type { Query } from "./query.ts";

/** The names in a path, decoded once. */
export interface Target {
  readonly bucket?: string;
  readonly object?: string;
  readonly destinationBucket?: string;
  readonly destinationObject?: string;
}

/** A request. */
export interface Call {
  readonly operation: GcsOperation;
  readonly method: string;
  readonly target: Target;
  /** Why no method of the API fits, when none does. */
  readonly refusal: ApiError | undefined;
  readonly query: Query;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Yields until the end of the body; throws ClientGone when the connection breaks before. Read at most once. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** An answer. Its body is a JSON resource or bytes, not both. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, cut down to what the parameter `fields` asks for. */
  readonly resource?: object;
  /** Sent as they are. Owned by the store: nobody writes to them. */
  readonly bytes?: readonly Uint8Array[];
}
