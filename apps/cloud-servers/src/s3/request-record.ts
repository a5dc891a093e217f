/** A request as a test may look at it afterwards. */
export interface RequestRecord {
  readonly method: string;
  /** Of the API, such as `PutObject`; `Unknown` for what is none. */
  readonly operation: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** Without the signature. */
  readonly query: Readonly<Record<string, string>>;
  /** Lower case names; without what authorizes the request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined while there is no answer, and when there never was one. */
  readonly status: number | undefined;
}

/** Remembers the last requests, up to a number of them. */
export class RequestLog {
  readonly #max: number;
  #records: { -readonly [Name in keyof RequestRecord]: RequestRecord[Name] }[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get records(): readonly RequestRecord[] {
    return this.#max === 0 ? [] : this.#records.slice(-this.#max);
  }

  /** @returns tells the status, once it is known */
  add(record: Omit<RequestRecord, "status">): (status: number) => void {
    const entry = {
      ...record,
      query: without(record.query, ["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"]),
      headers: without(record.headers, ["authorization", "x-amz-security-token"]),
      status: undefined as number | undefined,
    };
    this.#records.push(entry);
    // Halved, not shifted: dropping one at a time would move all of them for every request.
    if (this.#records.length > 2 * this.#max) this.#records = [...this.records];
    return (status) => {
      entry.status = status;
    };
  }

  clear(): void {
    this.#records = [];
  }
}

function without(values: Readonly<Record<string, string>>, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}
