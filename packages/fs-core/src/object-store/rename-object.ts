/** A rename, and what became of it when the answer was lost or the request came twice. */
import { readBack, unknown, untold } from "./commit-write.ts";
import type { ObjectStoreDriver } from "./object-driver.ts";
import type { StoreCall } from "./store-call.ts";
import { isStoreError } from "./store-error.ts";
import { putIdName } from "./stored-metadata.ts";

/**
 * With `ifAbsent` one of many must win, and all of them move the same put id: unless the store itself said so, no success is
 * taken for ours.
 * @throws StoreError `NOT_FOUND`, `ALREADY_EXISTS`
 */
export async function renameObject(
  driver: ObjectStoreDriver,
  call: StoreCall,
  from: string,
  to: string,
  ifAbsent: boolean,
): Promise<void> {
  const rename = (driver.rename as NonNullable<ObjectStoreDriver["rename"]>).bind(driver);
  const source = await call.request("head", (driverCall) => driver.head(from, driverCall));
  try {
    await call.request("rename", (driverCall) => rename(from, to, { ifAbsent }, driverCall), { commits: true });
  } catch (error) {
    const isAnswer = isStoreError(error) && (error.code === "NOT_FOUND" || error.code === "ALREADY_EXISTS");
    // Nothing was there before: it cannot have been us.
    if (isAnswer && source === undefined) throw error;
    if (!call.isOutcomeUnknown && !isAnswer) throw error;
    const putId = source?.metadata[putIdName];
    const back = await readBack(driver, call, to);
    if (putId !== undefined && back.found?.metadata[putIdName] === putId) {
      if (ifAbsent) throw untold(error);
      return;
    }
    if (isAnswer && back.isKnown && !call.isOutcomeUnknown) throw error;
    throw isAnswer && !back.isKnown ? untold(error) : unknown(error);
  }
}
