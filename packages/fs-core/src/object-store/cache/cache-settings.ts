/** How large a cache is. */
import type { FileSystem } from "../../file-system/file-system.ts";
import { unknownNames } from "../../kit/unknown-names.ts";
import { numberProblems, type NumberRule, refuseOptions } from "../wrappers/option-rules.ts";

/** Of `LocalCacheStorage.open`. */
export interface CacheSettings {
  /** Its root is the cache's alone. */
  readonly fileSystem: FileSystem;
  /** What all files together may take, in bytes, each counted in blocks of 4 KiB. 64 KiB..2^50. */
  readonly maxBytes: number;
  /** Objects are cached in parts of this size. Small ones waste less where reads are random. 4 KiB..64 MiB. Default 1 MiB. */
  readonly partBytes?: number;
}

export const partBytesRule: NumberRule = { from: 4096, to: 64 * 2 ** 20, isWhole: true };
const maxBytesRule: NumberRule = { from: 65_536, to: 2 ** 50, isWhole: true };

/** @throws StoreError `INVALID_ARGUMENT` with every problem */
export function resolveCacheSettings(settings: CacheSettings): Required<CacheSettings> {
  refuseOptions("LocalCacheStorage.open", [
    ...unknownNames(settings, ["fileSystem", "maxBytes", "partBytes"]),
    ...(settings.fileSystem === undefined ? ["fileSystem is missing"] : []),
    ...(settings.maxBytes === undefined ? ["maxBytes is missing"] : []),
    ...numberProblems(settings, { maxBytes: maxBytesRule, partBytes: partBytesRule }),
  ]);
  return { fileSystem: settings.fileSystem, maxBytes: settings.maxBytes, partBytes: settings.partBytes ?? 2 ** 20 };
}
