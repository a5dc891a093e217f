import { CliError } from "../cli-error.ts";
import { formatCount } from "../values/size.ts";

/** Cuts a stream of bytes into records. Holds at most the one record that is not complete yet. */
export interface RecordSplitter {
  /** Takes the next bytes and yields the records that they complete. Consume all of it before the next call. */
  push(chunk: Uint8Array): Iterable<Uint8Array>;
  /** Ends the input and yields what is left. @throws CliError when the input may not end here */
  end(): Iterable<Uint8Array>;
}

/** Where a record begins in the input. */
export type InputPlace = { readonly line: number } | { readonly offset: number };

/**
 * A record that no segment can hold, found before it is all in memory.
 * @param what names it: `line 3`, `the record at byte 20`
 * @param length its bytes, undefined while its end was not seen
 */
export function recordTooLong(what: string, length: number | undefined, maxBytes: number, place: InputPlace): CliError {
  const size =
    length === undefined ? `longer than ${formatCount(maxBytes)} bytes` : `${formatCount(length)} bytes long`;
  return new CliError(
    "SEGMENT_FULL",
    `${what} is ${size}: too large for a segment, which holds a record of up to ${formatCount(maxBytes)} bytes`,
    place,
  );
}
