import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { defineConfig } from "@playwright/test";

// The stories are told in a shop of their own: free ports, a database that is thrown away. This file
// is read by every worker, so what it chooses stands in the environment.
const ROOT = resolve(import.meta.dirname, "..");
const PYTHON = join(ROOT, ".venv/bin/python");
// Without a window to draw, a browser takes a third less of the machine.
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
    // Minutes of staff's work: `make check` has them told, the gate does not.
    { name: "admin", testMatch: "admin-*" },
  ],
  fullyParallel: true,
  workers: 2,
  // A machine that does much else takes its time: it is waited for, and never for longer than it takes.
  timeout: 600_000,
  expect: { timeout: 60_000 },
  forbidOnly: Boolean(process.env.CI),
  // A machine that stalls for ten seconds breaks no shop; who needs a second telling is named as flaky.
  retries: process.env.CI ? 1 : 0,
  reporter: [["list"]],
  use: {
    baseURL: shop.origin,
    viewport: { width: 390, height: 844 },
    locale: "en-KE",
    timezoneId: "Africa/Nairobi",
    hasTouch: true,
    // Only the stories of a bad line want one: each newcomer would fetch the whole shop into it.
    serviceWorkers: "block",
    // To record a story costs as much as to tell it: where it is told again, the second telling is.
    trace: process.env.CI ? "on-first-retry" : "retain-on-failure",
    launchOptions: { executablePath: CHROMIUM, args: ["--no-sandbox"] },
  },
  webServer: {
    // Where the tests keep a migrated database, a copy of it: the stories need not wait for a migrate.
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
