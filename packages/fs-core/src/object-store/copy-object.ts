/** A copy made by the store: in one request, or in parts when the object is larger than one request takes. */
import { commitWrite } from "./commit-write.ts";
import type { DriverInfo, ObjectStoreDriver } from "./object-driver.ts";
import type { PutResult, WriteCondition } from "./object-store.ts";
import { partBytesFor } from "./part-plan.ts";
import { PartUpload } from "./part-upload.ts";
import type { StoreCall } from "./store-call.ts";
import { isStoreError, StoreError } from "./store-error.ts";
import { copiedMetadata, objectInfo } from "./stored-metadata.ts";
import { assertCondition, uploadSupport } from "./write-request.ts";

/** A copied part costs no memory here; large ones make few requests. */
const copyPartBytes = 256 * 2 ** 20;

export interface CopyRequest {
  readonly from: string;
  readonly to: string;
  readonly condition: WriteCondition;
  readonly ifSourceMatch: string | undefined;
  readonly putId: string;
  readonly concurrency: number;
  readonly drop: (uploadId: string, isUrgent: boolean) => Promise<void>;
}

/** How often a copy begins again because its source was replaced between two requests. */
const restartsMax = 5;

/** @throws StoreError `NOT_FOUND`, `VERSION_MISMATCH` for the source, `ALREADY_EXISTS` */
export async function copyObject(driver: ObjectStoreDriver, call: StoreCall, request: CopyRequest): Promise<PutResult> {
  for (let restart = 0; ; restart++) {
    try {
      return await copyOnce(driver, call, request);
    } catch (error) {
      // Nobody asked for a version: which one is copied is ours to say, as long as none was.
      const isUnconditional = request.ifSourceMatch === undefined && request.condition.ifMatch === undefined;
      const wasReplaced = isStoreError(error) && error.code === "VERSION_MISMATCH" && error.outcome === "none";
      if (!isUnconditional || !wasReplaced || restart === restartsMax) throw error;
    }
  }
}

async function copyOnce(driver: ObjectStoreDriver, call: StoreCall, request: CopyRequest): Promise<PutResult> {
  const { from, to, ifSourceMatch, putId, condition } = request;
  const source = await call.request("head", (driverCall) => driver.head(from, driverCall));
  if (source === undefined) {
    throw new StoreError("NOT_FOUND", `copy: there is no ${JSON.stringify(from)}`, { key: from, operation: "copy" });
  }
  if (ifSourceMatch !== undefined && source.version !== ifSourceMatch) {
    throw new StoreError("VERSION_MISMATCH", `copy: ${JSON.stringify(from)} is another version than wanted`, {
      key: from,
      operation: "copy",
    });
  }
  const { checksum } = objectInfo(source);
  const put = {
    ...condition,
    metadata: copiedMetadata(source, putId),
    contentType: source.contentType ?? "application/octet-stream",
    checksum,
  };
  const isOne = driver.uploadPartCopy === undefined || source.size <= driver.capabilities.limits.copyBytesMax;
  const { version } = isOne
    ? await commitWrite(driver, call, {
        operation: "copy",
        key: to,
        putId,
        // No answer comes before the store has copied all of them.
        options: { bytes: source.size },
        send: (driverCall) => driver.copy(source, to, { ...put, ifSourceMatch: source.version }, driverCall),
      })
    : await copyInParts(driver, call, source, put, request);
  return { key: to, size: source.size, version, putId, checksum };
}

async function copyInParts(
  driver: ObjectStoreDriver,
  call: StoreCall,
  source: DriverInfo,
  put: Parameters<ObjectStoreDriver["beginUpload"]>[1],
  { to, putId, condition, concurrency, drop }: CopyRequest,
): Promise<{ readonly version: string }> {
  assertCondition("copy", condition, uploadSupport(driver.capabilities));
  const partBytes = partBytesFor(source.size, copyPartBytes, driver.capabilities.limits);
  // The whole's checksum comes from the source; the parts' are not known here.
  const upload = await PartUpload.begin({
    driver,
    call,
    key: to,
    putId,
    request: { ...put, checksum: undefined },
    concurrency,
    onPart: () => {},
    onLate: (uploadId) => void drop(uploadId, true),
  });
  try {
    for (let at = 0; at < source.size; at += partBytes) {
      const size = Math.min(partBytes, source.size - at);
      await upload.sendCopy(size, (number, offset) =>
        call.request(
          "uploadPartCopy",
          (driverCall) => {
            const part = { number, from: source, offset, size };
            return (driver.uploadPartCopy as NonNullable<typeof driver.uploadPartCopy>)(
              to,
              upload.uploadId,
              part,
              driverCall,
            );
          },
          { bytes: size },
        ),
      );
    }
    return await upload.complete(put.checksum);
  } catch (error) {
    await upload.settle();
    await drop(upload.uploadId, call.isEnded);
    throw error;
  }
}
