import { defineConfig } from "@lingui/cli";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  locales: ["en", "sw"],
  sourceLocale: "en",
  // Four parts a language, as src/i18n/index.ts loads them.
  catalogs: [
    {
      path: "<rootDir>/src/i18n/{locale}/shop",
      include: ["app", "catalogue", "cart", "ui"].map((name) => `<rootDir>/src/${name}`),
    },
    {
      path: "<rootDir>/src/i18n/{locale}/buying",
      include: ["account", "checkout", "delivery", "notices", "orders", "problems", "seller"].map(
        (name) => `<rootDir>/src/${name}`,
      ),
    },
    {
      path: "<rootDir>/src/i18n/{locale}/selling",
      // Problems are spoken of by both: their texts are in both.
      include: ["selling", "problems"].map((name) => `<rootDir>/src/${name}`),
    },
    { path: "<rootDir>/src/i18n/{locale}/delivering", include: ["<rootDir>/src/delivering"] },
  ],
  format: formatter({ lineNumbers: false, origins: true }),
  orderBy: "message",
});
