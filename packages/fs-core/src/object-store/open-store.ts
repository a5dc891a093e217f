/** A URL becomes a store whose manners are known. */
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random.ts";
import { createObjectStore } from "./driver-store.ts";
import type { ObjectStore } from "./object-store.ts";
import type { ProbeReport } from "./probe-report.ts";
import { StoreError } from "./store-error.ts";
import { assertStoreId, ensureStoreId } from "./store-identity.ts";
import { type StoreRegistry, storeRegistry } from "./store-registry.ts";
import type { StoreParts } from "./store-parts.ts";
import { assertSignal } from "./store-call.ts";
import { isPlainObject, resolveStoreSettings, type StoreSettings } from "./store-settings.ts";
import { parseStoreUrl } from "./store-url.ts";
import { refuse } from "./write-request.ts";

/** How {@link openStore} opens. */
export interface OpenStoreOptions extends StoreSettings {
  /** The backend's own settings: credentials, region, endpoint … See its package. */
  readonly backend?: Readonly<Record<string, unknown>>;
  /**
   * Whether to find out by about 80 requests what the endpoint enforces. Default true. `false` takes `capabilities` at their
   * word; a report of an earlier probe of the same endpoint takes its place.
   */
  readonly probe?: boolean | ProbeReport;
  /**
   * Open even where conditional writes are not enforced. Nothing then notices a second writer: `mode` says
   * `single-writer`, and keeping it true is up to you. Default false: `UNFENCED`.
   */
  readonly allowSingleWriter?: boolean;
  /** The id that the store must have, 32 hexadecimal digits: `WRONG_STORE` otherwise. Default: any, given now if it has none. */
  readonly expectedStoreId?: string;
  readonly signal?: AbortSignal;
}

/** Live parts of {@link openStore}. */
export interface OpenStoreParts extends StoreParts {
  readonly registry?: StoreRegistry;
}

/** What was opened. */
export interface OpenedStore {
  readonly store: ObjectStore;
  readonly storeId: string;
  /** `fenced`: of two writers one is told. `single-writer`: nobody is. */
  readonly mode: ProbeReport["mode"];
  /** Undefined when none was made. */
  readonly probe: ProbeReport | undefined;
}

/**
 * Opens the store at `url`: `file:///directory`, `s3://bucket/folder`, `az://account/container/folder`, `gs://bucket/folder`,
 * `memory://name`.
 * @throws StoreError `INVALID_ARGUMENT`, `MISSING_PACKAGE`, `UNAUTHENTICATED`, `NOT_FOUND`, `UNFENCED`, `WRONG_STORE`, …
 */
export async function openStore(
  url: string,
  options: OpenStoreOptions = {},
  parts: OpenStoreParts = {},
): Promise<OpenedStore> {
  checkOptions(options);
  const {
    backend = {},
    probe: wanted = true,
    allowSingleWriter = false,
    expectedStoreId,
    signal,
    ...settings
  } = options;
  const { clock = systemClock, random = systemRandom, registry = storeRegistry } = parts;
  const parsed = parseStoreUrl(url);
  // Before the driver opens: what it makes and holds would have to be taken back.
  resolveStoreSettings(settings, ownNames);
  const driver = await (await registry.load(parsed.backend)).open(parsed, backend, { clock, random });
  const store = createObjectStore(driver, settings, { clock, random });
  const call = signal === undefined ? {} : { signal };
  try {
    const probe = wanted === true ? await store.probe(call) : wanted === false ? undefined : wanted;
    const mode = probe?.mode ?? (store.capabilities.putIfAbsent ? "fenced" : "single-writer");
    if (mode === "single-writer" && !allowSingleWriter) throw unfenced(store, probe);
    if (expectedStoreId !== undefined) {
      await assertStoreId(store, expectedStoreId, call);
      return { store, storeId: expectedStoreId, mode, probe };
    }
    const isFenced = probe === undefined ? store.capabilities.putIfAbsent : probe.putIfAbsent === "enforced";
    return { store, storeId: await ensureStoreId(store, random, call, isFenced), mode, probe };
  } catch (error) {
    await store.close();
    throw error;
  }
}

const ownNames = ["backend", "probe", "allowSingleWriter", "expectedStoreId", "signal"];

/** The settings of every store aside. @throws StoreError `INVALID_ARGUMENT` with every problem */
function checkOptions(options: OpenStoreOptions): void {
  if (!isPlainObject(options)) refuse("openStore", ["options: want an object"]);
  const { backend, probe, allowSingleWriter, expectedStoreId, signal } = options;
  const problems: string[] = [];
  if (backend !== undefined && !isPlainObject(backend))
    problems.push("backend: want an object of the backend's settings");
  if (probe !== undefined && typeof probe !== "boolean" && !isReport(probe)) {
    problems.push("probe: want true, false, or the report of an earlier probe");
  }
  if (allowSingleWriter !== undefined && typeof allowSingleWriter !== "boolean") {
    problems.push("allowSingleWriter: want true or false");
  }
  if (
    expectedStoreId !== undefined &&
    !(typeof expectedStoreId === "string" && /^[0-9a-f]{32}$/.test(expectedStoreId))
  ) {
    problems.push("expectedStoreId: want 32 hexadecimal digits");
  }
  refuse("openStore", problems);
  assertSignal(signal, "openStore");
}

/** Whether it says what is relied on: without a mode, nobody would be refused. */
function isReport(value: unknown): boolean {
  const { mode, putIfAbsent } = Object(value) as Partial<ProbeReport>;
  return (mode === "fenced" || mode === "single-writer") && typeof putIfAbsent === "string";
}

function unfenced(store: ObjectStore, probe: ProbeReport | undefined): StoreError {
  const notes = probe === undefined || probe.notes.length === 0 ? "" : ` (${probe.notes.join("; ")})`;
  return new StoreError(
    "UNFENCED",
    `${store.url} does not enforce conditional writes${notes}: two writers would not notice each other. ` +
      "Use another store, or allowSingleWriter when you make sure that there is one",
    { operation: "openStore", store: store.url },
  );
}
