import type { FileSystem } from "../file-system/file-system.ts";
import { InterceptedFileSystem } from "./intercepted-file-system.ts";
import { OddFileHandle } from "./odd-file-handle.ts";
import { noInterceptor } from "./operation.ts";

/**
 * A file system with the same promises and a strange way to keep them: stored bytes are not the caller's bytes, and
 * reads and writes reach the wrapped file system in small, uneven pieces. Code that opens files behind the interface's
 * back (by `localPath`, which names the strange bytes), or that relies on one call being one write, fails over it.
 */
export class OddFileSystem extends InterceptedFileSystem {
  /** @param inner not owned */
  constructor(inner: FileSystem) {
    super(inner, noInterceptor, (handle) => new OddFileHandle(handle));
  }
}
