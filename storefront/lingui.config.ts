import { defineConfig } from "@lingui/cli";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  locales: ["en", "sw"],
  sourceLocale: "en",
  // Four files per language, which src/i18n/index.ts loads.
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
      // Buyers and sellers see problems, so their texts are in both files.
      include: ["selling", "problems"].map((name) => `<rootDir>/src/${name}`),
    },
    { path: "<rootDir>/src/i18n/{locale}/delivering", include: ["<rootDir>/src/delivering"] },
  ],
  format: formatter({ lineNumbers: false, origins: true }),
  orderBy: "message",
});
