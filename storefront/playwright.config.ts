import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { defineConfig } from "@playwright/test";

// The tests run against a shop of their own: free ports, a temporary database. Every worker reads this
// file, so what it has chosen is passed on in the environment.
const ROOT = resolve(import.meta.dirname, "..");
const PYTHON = join(ROOT, ".venv/bin/python");
// The headless shell needs a third less CPU.
const SHELL = "/usr/bin/chromium-headless-shell";
const CHROMIUM = existsSync(SHELL) ? SHELL : "/usr/bin/chromium";
const TWO_FREE_PORTS =
  "from payments.demo.processes import free_port; print(free_port(), free_port())";

if (!process.env.STORY_SHOP) {
  const [web, phone] = execFileSync(PYTHON, ["-c", TWO_FREE_PORTS], { cwd: ROOT })
    .toString()
    .trim()
    .split(" ");
  process.env.STORY_SHOP = `http://127.0.0.1:${web}`;
  process.env.STORY_PHONE = `http://127.0.0.1:${phone}`;
  process.env.STORY_FOLDER = mkdtempSync(join(tmpdir(), "omache-stories-"));
}
const shop = new URL(process.env.STORY_SHOP);
const phone = new URL(process.env.STORY_PHONE ?? "");
const folder = process.env.STORY_FOLDER ?? "";

export default defineConfig({
  testDir: "e2e",
  globalTeardown: "./e2e/teardown.ts",
  projects: [
    { name: "shop", testIgnore: "admin-*" },
    // They take minutes: part of `make check`, not of CI.
    { name: "admin", testMatch: "admin-*" },
  ],
  fullyParallel: true,
  workers: 2,
  // Long, for slow machines: nothing waits longer than it has to.
  timeout: 600_000,
  expect: { timeout: 60_000 },
  forbidOnly: Boolean(process.env.CI),
  // A machine may stall for ten seconds. A test that needs its retry is reported as flaky.
  retries: process.env.CI ? 1 : 0,
  reporter: [["list"]],
  use: {
    baseURL: shop.origin,
    viewport: { width: 390, height: 844 },
    locale: "en-KE",
    timezoneId: "Africa/Nairobi",
    hasTouch: true,
    // Only the offline tests need one: for each new browser it would fetch the whole storefront.
    serviceWorkers: "block",
    // Recording doubles the time of a test, so CI records retries only.
    trace: process.env.CI ? "on-first-retry" : "retain-on-failure",
    launchOptions: { executablePath: CHROMIUM, args: ["--no-sandbox"] },
  },
  webServer: {
    // Starts with a copy of the tests' migrated database if there is one, instead of migrating.
    command: `${PYTHON} -m tests.copy_migrated_database ${folder}/stories.sqlite3 && exec ${PYTHON} manage.py laptop --without-story --port ${shop.port} --phone-port ${phone.port} --kept ${folder}/simulator`,
    cwd: ROOT,
    url: `${shop.origin}/readyz/`,
    timeout: 900_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 60_000 },
    env: {
      DATABASE_URL: `sqlite:///${folder}/stories.sqlite3`,
      MEDIA_ROOT: `${folder}/media`,
      OMACHE_ENV_FILE: "/dev/null",
    },
    stdout: "ignore",
    stderr: "pipe",
  },
});
