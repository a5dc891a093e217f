/**
 * The ground that logs stand on: a file system whose promises are written down and tested, clocks and randomness as
 * parts, and checksums. Start at {@link LocalFileSystem}; tests take {@link MemoryFileSystem} and `@varve/fs-core/testing`.
 * @packageDocumentation
 */

// Start here: files.
export { LocalFileSystem, LocalFileSystem as AsyncFileSystem } from "./file-system/local-file-system.ts";
export { MemoryFileSystem, type MemoryFileSystemParts } from "./file-system/memory-file-system.ts";

// Small files, replaced in one step.
export {
  replaceFile,
  replaceFileSync,
  type ReplaceFileParts,
  sweepTemporaryFiles,
  sweepTemporaryFilesSync,
} from "./file-system/atomic-file.ts";
export { maxTemporaryTargetBytes, parseTemporaryName, temporaryName } from "./file-system/temporary-name.ts";

// Time and randomness.
export { sleepOn, systemClock, type Clock, type TimerHandle, type TimerOptions } from "./clock.ts";
export { systemRandom, type Random } from "./random.ts";

// Checksums.
export { Crc64, crc64Combine, crc64Nvme, foldTo32 } from "./checksum/crc64-nvme.ts";
export { createChecksumMemory, type ChecksumMemory, type ChecksumMemoryOptions } from "./checksum/checksum-memory.ts";
export type { Crc64Engine } from "./checksum/crc64-engine.ts";
export { crc64ScratchBytes, createCrc64Engine } from "./checksum/wasm-engine.ts";
export type { WasmMemory } from "./checksum/web-assembly.ts";

// Plug in here: what a file system promises.
export type {
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileMetadata,
  FileSystem,
  FileSystemSupport,
  FileWatch,
} from "./file-system/file-system.ts";
export { lockFileName } from "./file-system/directory-lock.ts";
export { baseName, joinPath, maxPartBytes, maxPathBytes, parentPath, pathProblem } from "./file-system/path-rules.ts";

// Errors.
export {
  isStorageError,
  StorageError,
  storageErrorCodes,
  type StorageErrorCode,
  type StorageErrorContext,
} from "./errors.ts";

// Object stores.
export { openStore, type OpenedStore, type OpenStoreOptions, type OpenStoreParts } from "./object-store/open-store.ts";
export { sweepUploads, type SweepUploadsOptions, type SweptUploads } from "./object-store/sweep-uploads.ts";
export { storeRegistry, StoreRegistry, type BackendLoader } from "./object-store/store-registry.ts";
export { assertStoreId, ensureStoreId, readStoreId, storeIdKey } from "./object-store/store-identity.ts";
export { createObjectStore } from "./object-store/driver-store.ts";
export type { StoreParts } from "./object-store/store-parts.ts";
export { LocalDriver, type LocalDriverParts } from "./object-store/local/local-driver.ts";
export { MemoryDriver } from "./object-store/memory-driver.ts";
export type { RetrySettings, StoreSettings } from "./object-store/store-settings.ts";
export type {
  ByteRange,
  CallOptions,
  CopyOptions,
  DeleteFailure,
  DeleteOptions,
  FileSource,
  GetOptions,
  GetRangesOptions,
  IncompleteUpload,
  ListedObject,
  ListEntry,
  ListOptions,
  ListUploadsOptions,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  ObjectWriter,
  ProbeOptions,
  PutOptions,
  PutResult,
  RenameOptions,
  UploadOptions,
  WriteCondition,
} from "./object-store/object-store.ts";
export type { ProbeReport, ProbeVerdict } from "./object-store/probe-report.ts";
export type { StoreCapabilities, StoreLimits } from "./object-store/store-capabilities.ts";
export { parseStoreUrl, storeSchemes, type StoreBackendName, type StoreUrl } from "./object-store/store-url.ts";
export {
  describeCause,
  isStoreError,
  StoreError,
  storeErrorCodes,
  withoutQueries,
  type StoreErrorCode,
  type StoreErrorContext,
  type StoreOutcome,
} from "./object-store/store-error.ts";

// Wrappers of object stores: each takes a store and gives one.
export { type BudgetedStore, type BudgetOptions, withBudget } from "./object-store/wrappers/with-budget.ts";
export type { BudgetAlarm, BudgetLimit, Spending } from "./object-store/wrappers/request-budget.ts";
export { withConcurrency } from "./object-store/wrappers/with-concurrency.ts";
export { type MeasuredStore, type MetricsOptions, withMetrics } from "./object-store/wrappers/with-metrics.ts";
export { storeChannels, type StoreRequestEvent } from "./object-store/wrappers/metrics-driver.ts";
export type { OperationMetrics, StoreMetrics } from "./object-store/wrappers/store-metrics.ts";
export type { LatencySnapshot } from "./object-store/wrappers/latency-histogram.ts";
export {
  listPrices,
  operationClasses,
  type OperationClass,
  type PriceClass,
  type RequestKind,
  type RequestPrices,
} from "./object-store/wrappers/price-classes.ts";
export { withPrefix } from "./object-store/wrappers/with-prefix.ts";
export { type RateLimits, withRateLimit } from "./object-store/wrappers/with-rate-limit.ts";
export { type TimeoutSettings, withRetry, withTimeout } from "./object-store/wrappers/with-settings.ts";
export {
  type CachedObjectStore,
  type CacheOptions,
  type WarmResult,
  withCache,
} from "./object-store/cache/with-cache.ts";
export { LocalCacheStorage } from "./object-store/cache/local-cache-storage.ts";
export type { CacheMetrics } from "./object-store/cache/cache-metrics.ts";
export type { CacheSettings } from "./object-store/cache/cache-settings.ts";
export { type DriverOperation, driverOperations, type DriverRequest } from "./object-store/wrappers/driver-request.ts";
export { ForwardingDriver, type WrappedStore } from "./object-store/wrappers/forwarding-driver.ts";

// Plug in here: what a backend implements.
export type {
  DriverBody,
  DriverCall,
  DriverComplete,
  DriverCopy,
  DriverGet,
  DriverInfo,
  DriverList,
  DriverListPage,
  DriverPart,
  DriverPut,
  DriverPutResult,
  ObjectStoreDriver,
  UploadedPart,
} from "./object-store/object-driver.ts";
export type { BackendParts, StoreBackend } from "./object-store/store-backend.ts";

// Plug in here: what backends and commands have in common.
export { closeAgent } from "./kit/close-agent.ts";
export { closestName } from "./kit/closest-name.ts";
export { Secret } from "./kit/secret.ts";
export { namesOf, unknownNames } from "./kit/unknown-names.ts";
export { untilAborted } from "./kit/until-aborted.ts";
