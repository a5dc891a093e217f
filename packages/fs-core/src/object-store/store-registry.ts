/**
 * Which package serves which URL. Nothing is loaded before a URL asks for it, so importing this package loads no SDK.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { localBackend, memoryBackend } from "./own-backends.ts";
import type { StoreBackend } from "./store-backend.ts";
import { describeCause, StoreError } from "./store-error.ts";
import type { StoreBackendName } from "./store-url.ts";

/** Brings a backend: its package's exports. */
export type BackendLoader = () => Promise<{ readonly storeBackend: StoreBackend }>;

const packages: Readonly<Record<Exclude<StoreBackendName, "local" | "memory">, string>> = {
  s3: "@varve/fs-s3",
  azure: "@varve/fs-azure",
  gcs: "@varve/fs-gcs",
};

/** Backends by name. A new one knows `local` and `memory`, and where the three clouds' packages are found. */
export class StoreRegistry {
  readonly #loaders = new Map<StoreBackendName, BackendLoader>();

  constructor() {
    this.register("local", async () => ({ storeBackend: localBackend }));
    this.register("memory", async () => ({ storeBackend: memoryBackend }));
    for (const [name, packageName] of Object.entries(packages)) {
      this.register(name as StoreBackendName, () => importBackend(packageName));
    }
  }

  /**
   * Sets where a backend comes from, in place of what was known:
   * `registry.register("s3", () => import("@varve/fs-s3"))`. Bundlers need this, because they must see the import.
   */
  register(name: StoreBackendName, loader: BackendLoader): this {
    this.#loaders.set(name, loader);
    return this;
  }

  /** @throws StoreError `MISSING_PACKAGE`, naming what to install */
  async load(name: StoreBackendName): Promise<StoreBackend> {
    const { storeBackend } = await (this.#loaders.get(name) as BackendLoader)();
    if (typeof storeBackend?.open === "function" && storeBackend.name === name) return storeBackend;
    throw new StoreError(
      "MISSING_PACKAGE",
      `what was loaded for ${name} is no backend of it: install one of this version`,
      {
        operation: "openStore",
      },
    );
  }
}

/** The registry that `openStore` uses when it is given none. */
export const storeRegistry: StoreRegistry = new StoreRegistry();

async function importBackend(packageName: string): Promise<{ readonly storeBackend: StoreBackend }> {
  let cause: unknown;
  for (const specifier of candidates(packageName)) {
    try {
      return (await import(specifier)) as { readonly storeBackend: StoreBackend };
    } catch (error) {
      // A package that is there and broken is another matter than one that is not.
      if (!isMissing(error, packageName)) throw error;
      cause = error;
    }
  }
  throw new StoreError("MISSING_PACKAGE", `this URL is served by ${packageName}: npm install ${packageName}`, {
    operation: "openStore",
    cause: describeCause(cause),
  });
}

/** From here, and from where the application is: with strict package managers only the latter sees its own dependencies. */
function* candidates(packageName: string): Generator<string> {
  yield packageName;
  for (const from of [process.argv[1], join(process.cwd(), "package.json")]) {
    if (from === undefined) continue;
    try {
      yield pathToFileURL(createRequire(from).resolve(packageName)).href;
    } catch {
      // Not from there.
    }
  }
}

function isMissing(error: unknown, packageName: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === "ERR_MODULE_NOT_FOUND" && String(message).includes(packageName);
}
