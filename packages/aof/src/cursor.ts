import { assertCursorName } from "./cursor-name.ts";
import type { CursorStore } from "./cursor-store.ts";
import { AofError } from "./errors.ts";
import { assertKnownOptions } from "./known-options.ts";
import type { RecordReader } from "./log-reader.ts";
import type { ReadOptions } from "./read-options.ts";
import { abortedError } from "./watermark.ts";

/** Where a cursor goes on: with the record of this id, the first not older one, the oldest, or only with what comes. */
export type CursorTarget = number | "earliest" | "tail" | { readonly timestampUs: number };

/** How a wait for a cursor's change is ended. */
export interface CursorWaitOptions {
  /** Ends the wait with `ABORTED`. The change stays booked and becomes durable with the next replacement. */
  readonly signal?: AbortSignal;
}

/** What a cursor needs from its log. */
export interface CursorHost {
  readonly store: CursorStore;
  readonly firstId: () => number;
  readonly durableId: () => number;
  /** Id of the first durable record that is not older; one beyond the newest when all are. */
  readonly findTime: (timestampUs: number) => number;
  readonly read: (options: ReadOptions) => RecordReader;
  /** @throws AofError `CLOSED`, `POISONED` */
  readonly assertWritable: () => void;
}

/**
 * A durable, named place in a log: how far somebody got who reads it. It keeps retention from removing what it has not
 * committed, up to the lag that the settings allow.
 *
 * A cursor is its name: objects of one name, and of another open of the log, are the same cursor.
 */
export class Cursor {
  readonly name: string;
  readonly #host: CursorHost;

  /** Use `Aof.cursor`. */
  constructor(name: string, host: CursorHost) {
    this.name = name;
    this.#host = host;
  }

  /** The last committed id, as it survives a crash; the id before the first record when none was. @throws `NOT_FOUND` */
  get position(): number {
    const position = this.#host.store.stored.get(this.name);
    if (position === undefined) throw noCursor(this.name);
    return position;
  }

  /** The record that comes next: `position + 1`. */
  get nextId(): number {
    return this.position + 1;
  }

  /**
   * Says that everything up to `id` is done with; resolves when that survives a crash. Commits that come while one is
   * being written share the next write.
   * @param id not below the newest commit, not beyond the log's `durableId`
   * @throws AofError `INVALID_ARGUMENT`, `NOT_FOUND` (deleted), `NO_SPACE`, `IO`: the position is then the old one, or,
   * after a crash, perhaps this one; `ABORTED`, `CLOSED`, `POISONED`, `FENCED`
   */
  async commit(id: number, options: CursorWaitOptions = {}): Promise<void> {
    const { store } = this.#host;
    assertKnownOptions("wait", options);
    const latest = this.#latest();
    const durableId = this.#host.durableId();
    if (!Number.isSafeInteger(id) || id < latest || id > durableId) {
      throw new AofError(
        "INVALID_ARGUMENT",
        `commit of cursor ${JSON.stringify(this.name)}: got ${String(id)}, want an id from the last commit (${latest}) to the newest durable record (${durableId}); reset goes back`,
      );
    }
    await abortable(id === latest ? store.settled(this.name) : store.set(this.name, id), options.signal);
  }

  /**
   * Moves the cursor anywhere in the log; resolves when that survives a crash.
   * @param to an id from the log's `firstId` to `durableId + 1`: the record to go on with
   * @throws AofError as {@link commit}; `RECORD_TRIMMED`
   */
  async reset(to: CursorTarget, options: CursorWaitOptions = {}): Promise<void> {
    this.#latest();
    assertKnownOptions("wait", options);
    await abortable(this.#host.store.set(this.name, positionOf(to, this.#host)), options.signal);
  }

  /**
   * Records from {@link nextId} on. Commits nothing by itself.
   * @throws on its first use AofError `RECORD_TRIMMED` when the next record was removed, unless `onTrimmed` is `skip`
   */
  read(options: Omit<ReadOptions, "from" | "reverse"> = {}): RecordReader {
    return this.#host.read({ ...options, from: this.nextId, reverse: false });
  }

  /** Removes the cursor; resolves when that survives a crash. It holds nothing back any more. */
  async delete(options: CursorWaitOptions = {}): Promise<void> {
    this.#latest();
    assertKnownOptions("wait", options);
    await abortable(this.#host.store.set(this.name, undefined), options.signal);
  }

  #latest(): number {
    this.#host.assertWritable();
    const latest = this.#host.store.latest(this.name);
    if (latest === undefined) throw noCursor(this.name);
    return latest;
  }
}

/** How a cursor is made, should there be none of that name. */
export interface CursorOptions extends CursorWaitOptions {
  /** Where a new cursor begins; one that exists stays where it is. Default `"earliest"`. */
  readonly from?: CursorTarget;
}

/** The cursor of that name, made durably when there is none. */
export async function openCursor(name: string, options: CursorOptions, host: CursorHost): Promise<Cursor> {
  assertCursorName(name);
  assertKnownOptions("cursor", options);
  const { store } = host;
  const isKnown = store.latest(name) !== undefined;
  const stored = isKnown
    ? store.settled(name)
    : store.set(name, positionOf(options.from === undefined ? "earliest" : options.from, host));
  await abortable(stored, options.signal);
  return new Cursor(name, host);
}

/** @throws AofError `INVALID_ARGUMENT`, `RECORD_TRIMMED` */
function positionOf(to: CursorTarget, host: CursorHost): number {
  const firstId = host.firstId();
  const durableId = host.durableId();
  if (to === "earliest") return firstId - 1;
  if (to === "tail") return durableId;
  if (typeof to === "object" && to !== null && Number.isFinite(to.timestampUs))
    return host.findTime(to.timestampUs) - 1;
  if (typeof to === "number" && Number.isSafeInteger(to) && to >= 1 && to <= durableId + 1) {
    if (to >= firstId) return to - 1;
    throw new AofError("RECORD_TRIMMED", `record ${to} was removed by retention; the oldest is ${firstId}`, {
      recordId: to,
      earliestId: firstId,
    });
  }
  throw new AofError(
    "INVALID_ARGUMENT",
    `a cursor's place: got ${typeof to === "object" ? JSON.stringify(to) : String(to)}, want an id in ${firstId}..${durableId + 1}, { timestampUs }, "earliest" or "tail"`,
  );
}

function noCursor(name: string): AofError {
  return new AofError("NOT_FOUND", `there is no cursor ${JSON.stringify(name)}; log.cursor makes it`);
}

/** `work` has an owner whatever the signal does. */
function abortable(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortedError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = (): void => signal.removeEventListener("abort", onAbort);
    work.finally(settle).then(resolve, reject);
  });
}
