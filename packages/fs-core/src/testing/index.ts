/**
 * Parts for tests: time and randomness under control, file systems that lose power or fail on request, and the suite
 * that every file system passes.
 * @packageDocumentation
 */

// Time and randomness.
export { ManualClock, type ManualClockSettings } from "./manual-clock.ts";
export { SeededRandom } from "./seeded-random.ts";

// Power cuts.
export {
  CrashableFileSystem,
  type CrashableFileSystemParts,
  type OperationBoundary,
  type SyncFailureTarget,
} from "./crashable-file-system.ts";
export { crashModels, sectorBytes, type CrashModel, type CrashSettings } from "./crash-survivors.ts";

// Faults.
export { FaultyFileSystem, type FaultyFileSystemParts } from "./faulty-file-system.ts";
export { CountedPlan, type ActiveRule, type CountedRule } from "./counted-plan.ts";
export { FaultPlan, type ActiveFaultRule, type Fault, type FaultErrno, type FaultRule } from "./fault-plan.ts";

// A second backend that finds bypasses.
export { OddFileSystem } from "./odd-file-system.ts";

// The suite.
export { fileSystemConformance, type FileSystemConformance } from "./conformance/file-system-conformance.ts";
export { hostilePaths, unusualNames } from "./conformance/path-checks.ts";

// Plug in here: wrappers of your own.
export { InterceptedFileSystem } from "./intercepted-file-system.ts";
export {
  fileOperationNames,
  type FileInterceptor,
  type FileOperation,
  type FileOperationName,
} from "./operation.ts";

// What every object store must do.
export { objectStoreConformance, type ObjectStoreConformance } from "./store-conformance/object-store-conformance.ts";
export { realStoreConformance, type RealStore } from "./store-conformance/real-store-conformance.ts";
export { hostileKeys, oddKeys } from "./store-conformance/key-checks.ts";
export { FaultyDriver, type DriverFault, type FaultChoice } from "./faulty-driver.ts";
export { storeWrappers, wrappersToTry, type WrapStore } from "./store-wrappers.ts";
