import { defineConfig } from "@lingui/cli";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  locales: ["en", "sw"],
  sourceLocale: "en",
  // Two parts a language, as src/i18n/index.ts loads them.
  catalogs: [
    {
      path: "<rootDir>/src/i18n/{locale}/shop",
      include: ["app", "catalogue", "cart", "ui"].map((name) => `<rootDir>/src/${name}`),
    },
    {
      path: "<rootDir>/src/i18n/{locale}/buying",
      include: ["account", "checkout", "orders"].map((name) => `<rootDir>/src/${name}`),
    },
  ],
  format: formatter({ lineNumbers: false, origins: true }),
  orderBy: "message",
});
