import { type Clock, systemClock } from "../clock.ts";
import type { StorageError } from "../errors.ts";
import type { FileHandle, FileLock, FileSystem, FileWatch } from "../file-system/file-system.ts";
import { toStorageError } from "../file-system/map-node-error.ts";
import type { SyncFailureTarget } from "./crashable-file-system.ts";
import { type FaultErrno, FaultPlan, type FaultRule } from "./fault-plan.ts";
import { InterceptedFileSystem } from "./intercepted-file-system.ts";
import type { FileInterceptor, FileOperation } from "./operation.ts";

/** What a {@link FaultyFileSystem} may be given. */
export interface FaultyFileSystemParts {
  /** For `delay` faults. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * A file system that fails as planned and otherwise does what the wrapped one does. Rules may be added to its
 * {@link plan} at any time.
 */
export class FaultyFileSystem extends InterceptedFileSystem {
  readonly plan: FaultPlan;

  /** @param inner not owned */
  constructor(inner: FileSystem, plan: FaultPlan | readonly FaultRule[] = [], parts: FaultyFileSystemParts = {}) {
    const rules = plan instanceof FaultPlan ? plan : new FaultPlan(plan);
    super(inner, new FaultInjector(rules, syncFailureTarget(inner), parts.clock ?? systemClock));
    this.plan = rules;
  }
}

class FaultInjector implements FileInterceptor {
  readonly #plan: FaultPlan;
  readonly #losing: SyncFailureTarget | undefined;
  readonly #clock: Clock;

  constructor(plan: FaultPlan, losing: SyncFailureTarget | undefined, clock: Clock) {
    this.#plan = plan;
    this.#losing = losing;
    this.#clock = clock;
  }

  async around<T>(operation: FileOperation, call: () => Promise<T>): Promise<T> {
    const rule = this.#plan.next(operation);
    if (rule === undefined) return call();
    const { fault } = rule;
    const { handle, write } = operation;
    switch (fault.kind) {
      case "delay": {
        const result = await call();
        await this.#clock.sleep(fault.ms);
        return result;
      }
      case "splitWrite":
        await handle?.writeAt(...head(write, fault.bytes));
        return handle?.writeAt(...tail(write, fault.bytes)) as Promise<T>;
      case "shortWrite":
        await handle?.writeAt(...head(write, fault.bytes));
        break;
      case "errorAfter":
        await discard(await call());
        break;
      case "error":
        if (operation.name === "close") await call();
    }
    this.#loseUnsynced(rule, operation);
    throw injected(fault.errno, operation);
  }

  aroundSync<T>(operation: FileOperation, call: () => T): T {
    const rule = this.#plan.next(operation);
    if (rule === undefined) return call();
    const { fault } = rule;
    const { handle, write } = operation;
    switch (fault.kind) {
      case "delay":
        throw new TypeError("a synchronous call cannot be delayed");
      case "splitWrite":
        handle?.writeAtSync(...head(write, fault.bytes));
        return handle?.writeAtSync(...tail(write, fault.bytes)) as T;
      case "shortWrite":
        handle?.writeAtSync(...head(write, fault.bytes));
        break;
      case "errorAfter":
        discardSync(call());
        break;
      case "error":
        if (operation.name === "close") call();
    }
    this.#loseUnsynced(rule, operation);
    throw injected(fault.errno, operation);
  }

  #loseUnsynced(rule: FaultRule, { name, path, handle }: FileOperation): void {
    if (name !== "sync" && name !== "syncDirectory") return;
    if (rule.losesUnsynced === false) return;
    if (this.#losing === undefined) {
      if (rule.losesUnsynced === true) throw new TypeError("losesUnsynced: no CrashableFileSystem right below");
      return;
    }
    this.#losing.syncFailed(handle ?? path);
  }
}

function head(write: FileOperation["write"], bytes: number): [number, Uint8Array] {
  return [write?.position ?? 0, (write?.data ?? new Uint8Array(0)).subarray(0, bytes)];
}

function tail(write: FileOperation["write"], bytes: number): [number, Uint8Array] {
  const data = write?.data ?? new Uint8Array(0);
  const done = Math.min(bytes, data.byteLength);
  return [(write?.position ?? 0) + done, data.subarray(done)];
}

/** What the caller will never see must not stay open. */
async function discard(result: unknown): Promise<void> {
  if (isObject(result) && "release" in result) await (result as unknown as FileLock).release();
  else discardSync(result);
}

function discardSync(result: unknown): void {
  if (!isObject(result)) return;
  if ("closeSync" in result) (result as unknown as FileHandle).closeSync();
  else if ("close" in result) (result as unknown as FileWatch).close();
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function injected(errno: FaultErrno, operation: FileOperation): StorageError {
  const cause = Object.assign(new Error(`injected ${errno}`), { code: errno });
  return toStorageError(cause, operation.name, operation.path);
}

function syncFailureTarget(inner: FileSystem): SyncFailureTarget | undefined {
  return "syncFailed" in inner && typeof inner.syncFailed === "function"
    ? (inner as FileSystem & SyncFailureTarget)
    : undefined;
}
