/**
 * How the service may read the source of a copy. It fetches the source by its address like any client, so the address, or a
 * header beside it, has to carry the right to read: even within one account.
 */
import type { Clock } from "@varve/fs-core";
import {
  BlobSASPermissions,
  type HttpAuthorization,
  SASProtocol,
  StorageSharedKeyCredential,
  generateBlobSASQueryParameters,
} from "@azure/storage-blob";
import type { AzureClient } from "./azure-client.ts";
import { TypedCredential } from "./typed-credential.ts";

export interface CopySource {
  readonly url: string;
  /** Sent as `x-ms-copy-source-authorization`. */
  readonly sourceAuthorization?: HttpAuthorization;
}

const tokenScope = "https://storage.azure.com/.default";
/** The service's clock and ours may differ by as much as signed requests may: 15 minutes. */
const skewMs = 15 * 60_000;
/** One request uses the signature; the service ends requests earlier than this. */
const validMs = 60 * 60_000;

/** @param clock tells the time that a signature for reading is valid from */
export async function copySource(
  client: AzureClient,
  clock: Clock,
  name: string,
  signal: AbortSignal,
): Promise<CopySource> {
  // With a shared access signature the address has it already, and it has to allow reading.
  const { url } = client.blob(name);
  const { credential } = client;
  if (credential instanceof TypedCredential) {
    const { token } = await credential.getToken(tokenScope, { abortSignal: signal });
    return { url, sourceAuthorization: { scheme: "Bearer", value: token } };
  }
  if (!(credential instanceof StorageSharedKeyCredential)) return { url };
  const nowMs = clock.wallUs() / 1000;
  const signature = generateBlobSASQueryParameters(
    {
      containerName: client.container.containerName,
      blobName: name,
      permissions: BlobSASPermissions.parse("r"),
      startsOn: new Date(nowMs - skewMs),
      expiresOn: new Date(nowMs + validMs),
      protocol: url.startsWith("https:") ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
    },
    credential,
  );
  return { url: `${url}?${signature.toString()}` };
}
