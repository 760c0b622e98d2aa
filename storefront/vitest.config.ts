import { defineConfig, mergeConfig } from "vitest/config";
import vite from "./vite.config";

/** Separate from vite.config.ts, which `make run` uses without the test dependencies. */
export default defineConfig((env) =>
  mergeConfig(vite(env), {
    test: {
      environment: "happy-dom",
      include: ["tests/**/*.test.{ts,tsx}"],
      setupFiles: ["tests/setup.ts"],
      // Longer than a test's own waits (tests/setup.ts), whose errors say what is missing.
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // One process for all files: starting one per file would take longer than the tests.
      isolate: false,
      fileParallelism: false,
    },
  }),
);
