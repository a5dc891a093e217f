/** The content of a checked record, whatever its body looks like: decoded, decrypted, or refused with a typed error. */
import { AofError } from "../errors.ts";
import type { LogKeys } from "../keys/log-keys.ts";
import type { AofRecord } from "../record.ts";
import type { RecordChecker } from "../record-check.ts";
import type { OpenSegment } from "../segment-cache.ts";
import { BodyProblem } from "./body-problem.ts";
import { decodeBody, type RecordContent } from "./record-body.ts";

const needsKeys = "is encrypted: open the log with the part keyProvider";

/**
 * @param at where the record's header stands in the checker's memory
 * @param body as stored; borrowed
 * @param offset of the record in its segment, for messages
 * @throws AofError `KEY_REQUIRED`, `TAMPERED_RECORD`, `CORRUPTED_RECORD`, `CORRUPTED_KEYS`, `FORMAT_TOO_NEW`
 */
export function readContent(
  keys: LogKeys | undefined,
  open: OpenSegment,
  checker: RecordChecker,
  at: number,
  body: Uint8Array,
  offset: number,
): RecordContent {
  const id = checker.idAt(at);
  const record = {
    id,
    timestampUs: checker.timestampAt(at),
    flags: checker.flagsAt(at),
    codecBits: checker.codecBitsAt(at),
  };
  try {
    return decodeBody(body, record, open, (generation) => {
      if (keys === undefined) throw new BodyProblem("KEY_REQUIRED", needsKeys);
      return keys.dataKey(open, generation);
    });
  } catch (error) {
    const { name: path, baseId: segmentId } = open.segment;
    const place = { path, segmentId, offset, recordId: id };
    if (error instanceof BodyProblem) {
      const { code, message, cause } = error;
      const where = `record ${id} at offset ${offset} of ${path} ${message}`;
      throw new AofError(code, where, cause === undefined ? place : { ...place, cause });
    }
    throw error;
  }
}

/** The record that `content` belongs to. */
export function recordOf(id: number, timestampUs: number, content: RecordContent): AofRecord {
  const { payload, headers, expiresAtUs, dedupeKey, dedupeCount } = content;
  return {
    id,
    timestampUs,
    payload,
    ...(headers === undefined ? {} : { headers }),
    ...(expiresAtUs === undefined ? {} : { expiresAtUs }),
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
    ...(dedupeCount === undefined ? {} : { dedupeCount }),
  };
}
