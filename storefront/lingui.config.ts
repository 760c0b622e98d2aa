import { defineConfig } from "@lingui/cli";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  locales: ["en", "sw"],
  sourceLocale: "en",
  // Three parts a language, as src/i18n/index.ts loads them.
  catalogs: [
    {
      path: "<rootDir>/src/i18n/{locale}/shop",
      include: ["app", "catalogue", "cart", "ui"].map((name) => `<rootDir>/src/${name}`),
    },
    {
      path: "<rootDir>/src/i18n/{locale}/buying",
      include: ["account", "checkout", "delivery", "orders"].map((name) => `<rootDir>/src/${name}`),
    },
    { path: "<rootDir>/src/i18n/{locale}/selling", include: ["<rootDir>/src/selling"] },
  ],
  format: formatter({ lineNumbers: false, origins: true }),
  orderBy: "message",
});
