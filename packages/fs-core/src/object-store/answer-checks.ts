/** Whether an answer is one to what was asked: servers are known that ignore conditions and ranges. */
import type { DriverBody, DriverGet } from "./object-driver.ts";
import { resolveRange } from "./resolve-range.ts";
import { StoreError } from "./store-error.ts";

/** @throws StoreError `VERSION_MISMATCH`, `IO` */
export function assertAnswers(answer: DriverBody, request: DriverGet): void {
  assertVersion(answer, request);
  const { offset, length } = resolveRange(request.range, answer.info.size);
  if (answer.range.offset !== offset || answer.range.length !== length) throw otherRange(answer);
}

/** As {@link assertAnswers}, of an answer that may end before what was asked for does. */
export function assertBegins(
  answer: DriverBody,
  request: DriverGet & { readonly range: { readonly offset: number } },
): void {
  assertVersion(answer, request);
  if (answer.range.offset !== request.range.offset) throw otherRange(answer);
}

function assertVersion({ info }: DriverBody, { ifMatch }: DriverGet): void {
  if (ifMatch === undefined || info.version === ifMatch) return;
  throw new StoreError("VERSION_MISMATCH", "the store answered with another version than was asked for");
}

function otherRange({ range: { offset, length } }: DriverBody): StoreError {
  return new StoreError("IO", `the store answered with other bytes than were asked for: ${length} from ${offset}`);
}
