// Who asks. Apart from the clients, so that a process may know it without loading any.

/** The server asks for signatures, so that both sides pay for them. */
export const s3Credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "bench/secret+key" } as const;

/** The emulator's account, the same everywhere. */
export const azureAccount = "devstoreaccount1";
export const azureAccountKey: string =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
