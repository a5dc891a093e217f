/**
 * Google Cloud Storage as an object store of Varve: single requests with conditions, checksums and signals. Start at
 * {@link createGcsDriver}.
 * @packageDocumentation
 */

// Start here.
export { createGcsDriver } from "./gcs-driver.ts";
export type { GcsAuthClient, GcsSettings } from "./gcs-settings.ts";
export type { GcsCredentials } from "./google-credentials.ts";

// Plug in here: for the registry of stores.
export { storeBackend } from "./backend.ts";
