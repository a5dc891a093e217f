import { describeCause, StoreError } from "@varve/fs-core";
import type { AzureTokenCredential } from "./azure-settings.ts";
import type { Secret } from "./secret.ts";

/** The caller's credential, whose failures are told apart from the service's. */
export class TypedCredential {
  readonly #credential: Secret<AzureTokenCredential>;

  constructor(credential: Secret<AzureTokenCredential>) {
    this.#credential = credential;
  }

  /** @throws StoreError `UNAUTHENTICATED`: no token, no request */
  async getToken(
    scopes: string | string[],
    options?: { readonly abortSignal?: AbortSignal },
  ): Promise<{ token: string; expiresOnTimestamp: number }> {
    let token: Awaited<ReturnType<AzureTokenCredential["getToken"]>>;
    try {
      token = await this.#credential.reveal().getToken(scopes, options);
    } catch (error) {
      throw new StoreError("UNAUTHENTICATED", "the credential gave no token; see the cause", {
        cause: describeCause(error),
      });
    }
    if (token === null) throw new StoreError("UNAUTHENTICATED", "the credential gave no token");
    return token;
  }
}
