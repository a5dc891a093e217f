/**
 * The requests that came, for tests to look at.
 *
 * Always true: at most 100,000 entries, the newest; credentials are in none of them.
 */

/** One request. */
export interface LoggedRequest {
  readonly method: string;
  readonly operation: string;
  readonly bucket: string | undefined;
  readonly object: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case; without authorization. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the answer; undefined while there is none, or when a fault took it. */
  readonly status: number | undefined;
}

const entriesMax = 100_000;

export class RequestLog {
  #entries: { -readonly [Key in keyof LoggedRequest]: LoggedRequest[Key] }[] = [];

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** @returns what notes the answer's status */
  add(request: Omit<LoggedRequest, "status">): (status: number) => void {
    const { authorization: _, ...headers } = request.headers;
    const entry = { ...request, headers, status: undefined as number | undefined };
    // Half at once: removing the first of many is slow.
    if (this.#entries.length >= entriesMax) this.#entries = this.#entries.slice(entriesMax / 2);
    this.#entries.push(entry);
    return (status) => {
      entry.status = status;
    };
  }

  clear(): void {
    this.#entries = [];
  }
}
