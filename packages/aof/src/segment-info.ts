import type { LogSegment } from "./segment-catalog.ts";

/** One segment as people look at it. Plain JSON. */
export interface SegmentInfo {
  readonly baseId: number;
  /** `baseId - 1` when it is empty. */
  readonly lastId: number;
  readonly recordCount: number;
  readonly status: "active" | "sealing" | "finalized";
  readonly path: string;
  /** Bytes of header and records. */
  readonly dataBytes: number;
  /** Bytes of the file once sealed, offset table and footer included; undefined before. */
  readonly fileBytes: number | undefined;
  readonly createdAtUs: number;
  /** undefined when it is empty. */
  readonly firstTimestampUs: number | undefined;
  readonly lastTimestampUs: number | undefined;
}

export function segmentInfo(segment: LogSegment, isNewest: boolean): SegmentInfo {
  const content = segment.live ?? segment.sealed;
  const recordCount = segment.lastId - segment.baseId + 1;
  const isEmpty = recordCount === 0 || content === undefined;
  return {
    baseId: segment.baseId,
    lastId: segment.lastId,
    recordCount,
    status: segment.live === undefined ? "finalized" : isNewest ? "active" : "sealing",
    path: segment.name,
    dataBytes: segment.dataLength,
    fileBytes: segment.sealed?.fileLength,
    createdAtUs: content?.createdAtUs ?? 0,
    firstTimestampUs: isEmpty ? undefined : content.firstTimestampUs,
    lastTimestampUs: isEmpty ? undefined : content.lastTimestampUs,
  };
}
