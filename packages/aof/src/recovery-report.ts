import type { IndexOpening } from "./index-keeper.ts";
import type { RecoveryMode } from "./settings.ts";

/** What an open found and did. Plain JSON. */
export interface RecoveryReport {
  /** `created`: there was no log. `clean`: it was closed properly. `recovered`: it was not. */
  readonly outcome: "created" | "clean" | "recovered";
  readonly mode: RecoveryMode;
  /** The epoch of this open, and the one before it (0 for a new log). */
  readonly epoch: number;
  readonly previousEpoch: number;
  readonly firstId: number;
  /** The newest record that survived, `firstId - 1` when none did. */
  readonly lastId: number;
  /** Bytes cut from the end of the log, never acknowledged as durable. */
  readonly tornTail: TornTail | undefined;
  /** Base ids of segments whose offset table and footer were written again. */
  readonly resealed: readonly number[];
  /** What a salvage gave up; empty in the other modes. */
  readonly lost: readonly LostRange[];
  readonly removedFiles: readonly string[];
  /** Names in the directory that are not the log's. They were left alone. */
  readonly foreignFiles: readonly string[];
  readonly scannedBytes: number;
  readonly index: IndexOpening;
  /** The same in sentences, one per finding; empty when there was nothing to say. */
  readonly messages: readonly string[];
}

/** Bytes that a recovery cut from the end of a log. */
export interface TornTail {
  readonly segmentId: number;
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  /** The id the first cut record would have had. */
  readonly firstCutId: number;
  /** Sound records that had to go with it: ones behind the torn spot, or of an unfinished batch. */
  readonly cutRecords: boolean;
  /** The file that holds the cut bytes. */
  readonly keptAs: string;
}

/** Ids that a repair could not save; `get` refuses them, scans skip them. */
export interface LostRange {
  readonly firstId: number;
  readonly lastId: number;
  readonly reason: string;
}
