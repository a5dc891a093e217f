import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { ObjectStoreDriver } from "./object-driver.ts";
import type { StoreBackendName, StoreUrl } from "./store-url.ts";

/** What a backend gets from outside. */
export interface BackendParts {
  readonly clock: Clock;
  readonly random: Random;
}

/** What a backend's package exports under the name `storeBackend`, for the registry. */
export interface StoreBackend {
  readonly name: StoreBackendName;
  /**
   * The driver for everything below the URL: its keys are relative to `url.path`. Sends no request.
   * @param settings the backend's own, checked whole: `INVALID_ARGUMENT` with every problem
   */
  open(url: StoreUrl, settings: Readonly<Record<string, unknown>>, parts: BackendParts): Promise<ObjectStoreDriver>;
}
