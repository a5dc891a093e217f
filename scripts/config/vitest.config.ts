// One run over every test of the repository. Tests import other packages through `dist`: build first.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["{packages,apps}/*/{src,test}/**/*.test.ts", "scripts/**/*.test.ts"],
    // A process for each file: tests lock directories, load native code and count descriptors.
    pool: "forks",
    setupFiles: [fileURLToPath(new URL("fail-on-warning.ts", import.meta.url))],
    reporters: ["default", fileURLToPath(new URL("test-counts.ts", import.meta.url))],
    // For machines with two busy cores; a test that means to wait states its own.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    allowOnly: false,
    coverage: { provider: "v8", include: ["packages/*/src/**/*.ts"], exclude: ["**/*.test.ts"] },
  },
});
