/** The stores of the network campaigns: where each is served, and how a client of it is opened. */
import {
  createObjectStore,
  type ObjectStore,
  parseStoreUrl,
  type StoreBackend,
  type StoreSettings,
  systemClock,
  systemRandom,
} from "@varve/fs-core";

export const backendNames = ["s3", "gcs", "azure"] as const;
export type BackendName = (typeof backendNames)[number];

/** What a server is started with, so that {@link openStoreAt} finds it. */
export const bucketName = "torture";

/** The account that Azure's emulator has, as its documentation gives it to everybody. */
export const emulatorAccount = {
  account: "devstoreaccount1",
  accountKey: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
} as const;

/** Of the S3 server, which checks the signatures made with them. */
export const s3Access = { accessKeyId: "AKIATORTURE", secretAccessKey: "the secret of the torture campaigns" } as const;

interface Service {
  /** When it is asked for: a vendor's SDK takes longer to load than a job does. */
  readonly load: () => Promise<{ readonly storeBackend: StoreBackend }>;
  readonly url: string;
  readonly settings: (endpoint: string) => Readonly<Record<string, unknown>>;
}

const services: Readonly<Record<BackendName, Service>> = {
  s3: {
    load: () => import("@varve/fs-s3"),
    url: `s3://${bucketName}`,
    settings: (endpoint) => ({ endpoint, region: "us-east-1", checksumMode: "store", credentials: s3Access }),
  },
  gcs: { load: () => import("@varve/fs-gcs"), url: `gs://${bucketName}`, settings: (endpoint) => ({ endpoint }) },
  azure: {
    load: () => import("@varve/fs-azure"),
    url: `az://${emulatorAccount.account}/${bucketName}`,
    settings: (endpoint) => ({
      endpoint: `${endpoint}/${emulatorAccount.account}`,
      accountKey: emulatorAccount.accountKey,
    }),
  },
};

/** @param endpoint scheme, host and port. @throws StoreError */
export async function openStoreAt(name: BackendName, endpoint: string, settings: StoreSettings): Promise<ObjectStore> {
  const { load, url, settings: own } = services[name];
  const { storeBackend } = await load();
  const parts = { clock: systemClock, random: systemRandom };
  const driver = await storeBackend.open(parseStoreUrl(url), own(endpoint.replace(/\/+$/, "")), parts);
  return createObjectStore(driver, settings, parts);
}
