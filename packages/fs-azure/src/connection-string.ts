/**
 * The connection string of the Azure portal: `Name=value` pairs with `;` between them. Only what leads to the blob service
 * and into it is read. Problems name fields, never values: a value may be a secret.
 */

/** What a connection string says. Exactly one of `accountKey` and `sasToken` is there. */
export interface ConnectionString {
  readonly account: string;
  readonly endpoint: string;
  readonly accountKey: string | undefined;
  readonly sasToken: string | undefined;
}

/** The storage emulator's account, which is the same everywhere and in the vendor's documentation: no secret. */
const development: ConnectionString = {
  account: "devstoreaccount1",
  endpoint: "http://127.0.0.1:10000/devstoreaccount1",
  accountKey: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
  sasToken: undefined,
};

/** @returns what it says, or in a sentence what is wrong with it */
export function parseConnectionString(text: string): ConnectionString | string {
  const fields = new Map<string, string>();
  for (const pair of text.split(";")) {
    if (pair.trim() === "") continue;
    const equals = pair.indexOf("=");
    if (equals < 1) return "is made of Name=value pairs with ; between them";
    fields.set(pair.slice(0, equals).trim().toLowerCase(), pair.slice(equals + 1).trim());
  }
  if (fields.get("usedevelopmentstorage")?.toLowerCase() === "true") {
    if (fields.has("developmentstorageproxyuri"))
      return "names a proxy for the emulator: give its BlobEndpoint instead";
    return development;
  }
  const accountKey = fields.get("accountkey");
  const sasToken = fields.get("sharedaccesssignature");
  if ((accountKey === undefined) === (sasToken === undefined)) {
    return "holds exactly one of AccountKey and SharedAccessSignature";
  }
  const blobEndpoint = fields.get("blobendpoint");
  const account = fields.get("accountname") ?? accountOf(blobEndpoint);
  if (account === undefined) return "names no account: give AccountName";
  const protocol = fields.get("defaultendpointsprotocol") ?? "https";
  const suffix = fields.get("endpointsuffix") ?? "core.windows.net";
  return { account, endpoint: blobEndpoint ?? `${protocol}://${account}.blob.${suffix}`, accountKey, sasToken };
}

/** A connection string with a signature names the account only as part of the endpoint. */
function accountOf(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined || !URL.canParse(endpoint)) return undefined;
  const { hostname, pathname } = new URL(endpoint);
  const [first, second] = hostname.split(".");
  return second === "blob" ? first : pathname.split("/")[1] || undefined;
}
