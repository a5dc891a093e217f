import type { SegmentIndex } from "../segment-index.ts";
import { checkClosed } from "./check-closed.ts";
import { checkConcurrency } from "./check-concurrency.ts";
import { checkEntries } from "./check-entries.ts";
import { checkLifeCycle } from "./check-life-cycle.ts";
import { checkMetadata } from "./check-metadata.ts";
import { checkPersistence } from "./check-persistence.ts";
import { checkSearches } from "./check-searches.ts";

/** What the suite needs. Works under vitest and `node:test`. */
export interface SegmentIndexConformance {
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A fresh, empty, isolated index; the suite closes it. If it has a log id, that is `sampleLogId`. */
  readonly create: () => Promise<SegmentIndex>;
  /** Closes the index and opens the same one again. Without it the checks of persistence are left out. */
  readonly reopen?: (index: SegmentIndex) => Promise<SegmentIndex>;
}

/** Registers one test for each promise of {@link SegmentIndex}. */
export function segmentIndexConformance(suite: SegmentIndexConformance): void {
  const check: Check = (name, body) => {
    suite.test(name, async () => {
      const index = await suite.create();
      try {
        await body(index);
      } finally {
        await index.close();
      }
    });
  };
  checkEntries(check);
  checkLifeCycle(check);
  checkSearches(check);
  checkMetadata(check);
  checkConcurrency(check);
  checkClosed(check);
  if (suite.reopen !== undefined) checkPersistence(suite, suite.reopen);
}

/** Registers a test that gets an empty index, closed afterwards. */
export type Check = (name: string, body: (index: SegmentIndex) => Promise<void>) => void;
