import { usageError } from "../cli-error.ts";

/** How records follow one another in a stream of bytes. */
export type Framing =
  /** Each record ends with a newline, which is not part of it. For text: a record with a newline in it becomes two. */
  | "line"
  /** A u32, little-endian, with the record's length, then the record. For any bytes. */
  | "length"
  /** Nothing but the records. */
  | "none";

/**
 * Reads `--framing`.
 * @param accepted what this verb can do, the default first
 * @throws CliError `USAGE`
 */
export function parseFraming(text: string | undefined, accepted: readonly Framing[]): Framing {
  const framing = accepted.find((known) => known === (text ?? accepted[0]));
  if (framing === undefined) throw usageError(`--framing: got ${JSON.stringify(text)}, want ${accepted.join(" or ")}`);
  return framing;
}
