/**
 * For tests: the suite every kind of segment index passes, and entries to fill one with.
 * @packageDocumentation
 */
export { segmentIndexConformance, type SegmentIndexConformance } from "./segment-index-conformance.ts";
export { sampleLogId } from "./check-metadata.ts";
export { activeEntry, sampleEntry } from "./sample-entry.ts";
