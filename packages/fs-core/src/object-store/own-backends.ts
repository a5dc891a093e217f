/** The backends of this package: directories, and this process's memory. */
import { LocalDriver } from "./local/local-driver.ts";
import { MemoryDriver } from "./memory-driver.ts";
import type { StoreBackend } from "./store-backend.ts";
import { StoreError } from "./store-error.ts";

export const localBackend: StoreBackend = {
  name: "local",
  async open({ path }, settings, parts) {
    refuseSettings("file", settings);
    return LocalDriver.open(path, parts);
  },
};

/** Each open is an empty store of its own, whatever its name: two owners of one memory would not be noticed otherwise. */
export const memoryBackend: StoreBackend = {
  name: "memory",
  async open({ bucket, path }, settings, { clock }) {
    refuseSettings("memory", settings);
    return new MemoryDriver({ name: path === "" ? bucket : `${bucket}/${path}`, clock });
  },
};

function refuseSettings(scheme: string, settings: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(settings);
  if (names.length === 0) return;
  throw new StoreError("INVALID_ARGUMENT", `${scheme} stores take no backend settings; got ${names.join(", ")}`, {
    operation: "openStore",
  });
}
