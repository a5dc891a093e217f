/** @packageDocumentation */
export { startGcsServer, type GcsServer, type GcsServerOptions } from "./gcs/gcs-server.ts";
