/**
 * The LMDB kind of segment index. The native module is loaded by `open`, not by importing this.
 * @packageDocumentation
 */
export { LmdbSegmentIndex, type LmdbSegmentIndexParts, type LmdbSegmentIndexSettings } from "./lmdb-segment-index.ts";
