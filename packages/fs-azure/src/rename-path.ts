/**
 * Renaming in an account with a hierarchical namespace: `Path - Create` of the Data Lake service with a source, which moves
 * the name and nothing else, in one step.
 */
import type { AzureAccess } from "./azure-settings.ts";
import { type AzureClient, encodeName } from "./azure-client.ts";
import { assertServices } from "./version.ts";

export interface Rename {
  readonly container: string;
  readonly from: string;
  readonly to: string;
  readonly ifAbsent: boolean;
  readonly access: AzureAccess;
}

/** At most three requests: the folder above the new name has to be there, unlike for all other writes. */
export async function renamePath(client: AzureClient, rename: Rename, signal: AbortSignal): Promise<void> {
  try {
    await sendRename(client, rename, signal);
  } catch (error) {
    if (codeOf(error) !== "RenameDestinationParentPathNotFound") throw error;
    await createFolder(client, rename.to.slice(0, rename.to.lastIndexOf("/")), signal);
    await sendRename(client, rename, signal);
  }
}

async function sendRename(
  client: AzureClient,
  { container, from, to, ifAbsent, access }: Rename,
  signal: AbortSignal,
): Promise<void> {
  const signature = access.kind === "sasToken" ? `?${access.token.reveal()}` : "";
  const path = client.path(to, "", { "x-ms-rename-source": `/${container}/${encodeName(from)}${signature}` });
  assertServices(await path.create({ abortSignal: signal, conditions: ifAbsent ? { ifNoneMatch: "*" } : {} }));
}

/** With the folders above it. On a condition: without one it would replace an object. */
async function createFolder(client: AzureClient, name: string, signal: AbortSignal): Promise<void> {
  try {
    await client.path(name, "resource=directory", {}).create({ abortSignal: signal, conditions: { ifNoneMatch: "*" } });
  } catch (error) {
    if (codeOf(error) !== "PathAlreadyExists") throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  const { response } = error as { readonly response?: { readonly headers: { get(name: string): string | undefined } } };
  return response?.headers.get("x-ms-error-code");
}
