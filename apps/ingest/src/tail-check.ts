/** Reading along with a log and comparing each record with what was sent. */
import type { BatchReader } from "@varve/aof";
import { SequenceComparison, type SequenceOutcome } from "./checks.ts";
import type { RecordFile } from "./record-file.ts";

export interface CompareOptions {
  /** Where this reader is, for findings. */
  readonly where: string;
  readonly firstId: number;
  /** Gets each record that stands at its place, in order. */
  readonly onRecord?: (id: number, record: Uint8Array) => void;
  readonly onProgress?: (id: number) => void;
}

/**
 * Reads until the reader ends, or until ids stop being consecutive.
 * @param batches from `firstId` on
 * @param sent standing at `firstId`
 */
export async function compareWithInput(
  batches: BatchReader,
  sent: RecordFile,
  options: CompareOptions,
): Promise<SequenceOutcome> {
  const comparison = new SequenceComparison(options.where, options.firstId);
  for await (const batch of batches) {
    let expected: Uint8Array[] = [];
    let next = 0;
    for (let index = 0; index < batch.count; index++) {
      if (next === expected.length) {
        expected = await sent.take(batch.count - index);
        next = 0;
      }
      const id = batch.firstId + index;
      const record = batch.payload(index);
      if (!comparison.see(id, record, expected[next++])) return comparison.outcome();
      options.onRecord?.(id, record);
    }
    options.onProgress?.(batch.lastId);
  }
  return comparison.outcome();
}
