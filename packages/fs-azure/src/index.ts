/**
 * Object stores on Azure Blob Storage and Data Lake Storage Gen2. Start at {@link createAzureDriver}, or let a registry
 * open `az:` URLs through {@link storeBackend}.
 * @packageDocumentation
 */

// Start here.
export { createAzureDriver, type AzureParts } from "./azure-driver.ts";
export type { AzureSettings, AzureTokenCredential } from "./azure-settings.ts";

// Plug in here: what a registry loads.
export { storeBackend } from "./backend.ts";
