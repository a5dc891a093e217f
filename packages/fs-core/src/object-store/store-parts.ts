/** What a store gets from outside, beside its driver. */
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";

/** What a store gets from outside. */
export interface StoreParts {
  readonly clock?: Clock;
  readonly random?: Random;
}
