import type { ObjectStore } from "../../object-store/object-store.ts";
import { abortChecks } from "./abort-checks.ts";
import { copyChecks } from "./copy-checks.ts";
import { keyChecks } from "./key-checks.ts";
import { listChecks } from "./list-checks.ts";
import { promiseChecks } from "./promise-checks.ts";
import { readChecks } from "./read-checks.ts";
import type { StoreCheck } from "./store-check.ts";
import { uploadChecks } from "./upload-checks.ts";
import { writeChecks } from "./write-checks.ts";

/** Whom {@link objectStoreConformance} examines, and with which test runner. */
export interface ObjectStoreConformance {
  /** Registers one test. The `test` of vitest and of `node:test` fit. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A store without objects and uploads that shares nothing with an earlier one. */
  readonly create: () => Promise<ObjectStore>;
  /** Leaves out what takes thousands of requests: for further runs of a backend that had the whole. Default false. */
  readonly isShort?: boolean;
  /** Called when a test is done with what `create` returned, whether or not it passed. */
  readonly destroy?: (store: ObjectStore) => Promise<void>;
}

/**
 * Registers a test for each promise of {@link ObjectStore} and for each method: results, conditions, races, ranges, parts,
 * listings, hostile keys, signals, the probe. What `capabilities` denies is required to be refused.
 *
 * Left to the tests of each backend: faults of its own network, credentials, what only its vendor has.
 */
export function objectStoreConformance({ test, create, isShort, destroy }: ObjectStoreConformance): void {
  for (const check of objectStoreChecks) {
    if (isShort === true && check.isLong === true) continue;
    test(check.name, async () => {
      const store = await create();
      try {
        if (check.unless?.(store) !== true) await check.run(store);
      } finally {
        await store.close();
        await destroy?.(store);
      }
    });
  }
}

const objectStoreChecks: readonly StoreCheck[] = [
  ...writeChecks,
  ...readChecks,
  ...uploadChecks,
  ...listChecks,
  ...copyChecks,
  ...keyChecks,
  ...abortChecks,
  ...promiseChecks,
];
