import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `make run` serves the API; `API=http://127.0.0.1:8300 make shop-dev` asks another one. */
const API = process.env.API ?? "http://127.0.0.1:8000";

/** What Vite passes on in development, so that pages and API have one origin, as in production. */
const OF_THE_API =
  "^/($|account/|cart/|cashout/|login/|logout/|media/|password/|product/|registration/|review/|seller/|static/|token/|track/|user/)";

export default defineConfig(({ command }) => ({
  // Built files are served by WhiteNoise; in development Vite serves the pages themselves.
  base: command === "build" ? "/static/shop/" : "/shop/",
  plugins: [react(), lingui({ macroTransform: true })],
  build: {
    target: "es2022",
    cssTarget: "chrome94",
    manifest: true,
    // The Content-Security-Policy knows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What all pages need is in two files: what changes rarely, and the shop's own.
        codeSplitting: {
          groups: [
            { name: "libraries", test: /node_modules/ },
            {
              name: "shop",
              test: /src\/(?:main|api|app|ui|i18n\/\w+\.ts|cart\/(?:cart|useCart)|account\/useUser)/,
            },
          ],
        },
      },
    },
  },
  server: { host: "127.0.0.1", port: 5173, strictPort: true, proxy: { [OF_THE_API]: API } },
}));
