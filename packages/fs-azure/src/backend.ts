import type { BackendParts, ObjectStoreDriver, StoreBackend, StoreUrl } from "@varve/fs-core";
import { StoreError } from "@varve/fs-core";
import { createAzureDriver } from "./azure-driver.ts";
import type { AzureSettings } from "./azure-settings.ts";

/** Settings that the URL has. */
const fromUrl = ["account", "container", "prefix"] as const;

/**
 * Serves `adls:`, `abfss:`, `abfs:`, `az:` and `azure:` URLs. Account, container and folder come from the URL, everything
 * else from {@link AzureSettings}.
 */
export const storeBackend: StoreBackend = {
  name: "azure",
  async open(
    url: StoreUrl,
    settings: Readonly<Record<string, unknown>>,
    { clock, random }: BackendParts,
  ): Promise<ObjectStoreDriver> {
    const twice = fromUrl.filter((name) => settings[name] !== undefined);
    if (twice.length > 0) {
      throw new StoreError("INVALID_ARGUMENT", `Azure settings: ${twice.join(", ")}: the URL says it already`);
    }
    const endpoint = settings["endpoint"] ?? (settings["connectionString"] === undefined ? endpointOf(url) : undefined);
    const complete = { ...settings, account: url.account, container: url.bucket, prefix: url.path, endpoint };
    return createAzureDriver(complete as unknown as AzureSettings, { clock, random });
  },
};

/** The blob service beside the Data Lake service, which these URLs name: the same account on another host. */
function endpointOf({ host }: StoreUrl): string | undefined {
  return host === undefined ? undefined : `https://${host.replace(/^([^.]+)\.dfs\./, "$1.blob.")}`;
}
