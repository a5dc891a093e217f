import { describeCause, type Secret, StoreError } from "@varve/fs-core";
import type { AzureTokenCredential } from "./azure-settings.ts";

/** The caller's credential, whose failures are told apart from the service's. */
export class TypedCredential {
  readonly #credential: Secret<AzureTokenCredential>;

  constructor(credential: Secret<AzureTokenCredential>) {
    this.#credential = credential;
  }

  /** @throws StoreError `UNAUTHENTICATED`, or `UNAVAILABLE` when who gives tokens failed. No token, no request. */
  async getToken(
    scopes: string | string[],
    options?: { readonly abortSignal?: AbortSignal },
  ): Promise<{ token: string; expiresOnTimestamp: number }> {
    let token: Awaited<ReturnType<AzureTokenCredential["getToken"]>>;
    try {
      token = await this.#credential.reveal().getToken(scopes, options);
    } catch (error) {
      const code = isPassing(error) ? "UNAVAILABLE" : "UNAUTHENTICATED";
      throw new StoreError(code, "the credential gave no token; see the cause", { cause: describeCause(error) });
    }
    if (token === null) throw new StoreError("UNAUTHENTICATED", "the credential gave no token");
    return token;
  }
}

/** Whether the identity service, or the way to it, failed: nobody has to see to the credential then. */
function isPassing(error: unknown): boolean {
  const { code, statusCode } = (error ?? {}) as { readonly code?: unknown; readonly statusCode?: unknown };
  if (typeof statusCode === "number") return statusCode >= 500 || statusCode === 429;
  return typeof code === "string" && /^E[A-Z_]{3,}$/.test(code);
}
