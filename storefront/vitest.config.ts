import { defineConfig, mergeConfig } from "vitest/config";
import vite from "./vite.config";

/** Apart from vite.config.ts, which `make run` needs without what only tests. */
export default defineConfig((env) =>
  mergeConfig(vite(env), {
    test: {
      environment: "happy-dom",
      include: ["tests/**/*.test.{ts,tsx}"],
      setupFiles: ["tests/setup.ts"],
      // Longer than what a test waits for (tests/setup.ts), which says better what did not come.
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // One process for all: starting one a file would take longer than the tests.
      isolate: false,
      fileParallelism: false,
    },
  }),
);
