import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { build, defineConfig, type Plugin } from "vite";

/** Where `make run` serves the API; `API=http://127.0.0.1:8300 make shop-dev` uses another one. */
const API = process.env.API ?? "http://127.0.0.1:8000";

/** The paths that Vite proxies in development, so that pages and API have one origin, as in
 *  production. */
const OF_THE_API =
  "^/($|account/|cart/|cashout/|categories/|counties/|create/|deliveries/|login/|logout/|me/|media/|notices/|orders/|password/|pickup-points/|product/|registration/|review/|seller/|static/|token/|track/|user/)";

const hash = (...texts: (string | Buffer)[]): string =>
  texts
    .reduce((sum, text) => sum.update(text), createHash("sha256"))
    .digest("hex")
    .slice(0, 12);

/** Changes when the API's responses, or what is stored of them, may have another shape: browsers then
 *  delete what they stored before (src/api/responseCache.ts). */
const SHAPE = hash(
  ...["schema.d.ts", "queries.ts", "boot.ts"].map((name) =>
    readFileSync(join(import.meta.dirname, "src/api", name)),
  ),
);

type Manifest = Record<string, { file: string; css?: string[]; imports?: string[] }>;

/** Pages of sellers and delivery agents: the service worker caches them once they were opened. */
const OF_A_FEW = /^src\/(?:selling|delivering)\/|\/selling\.po$/;

/** The files of all other pages, with their imports: cached when the worker is installed. */
function filesToKeep(manifest: Manifest): string[] {
  const files = new Set<string>();
  const add = (source: string): void => {
    const chunk = manifest[source];
    if (!chunk || files.has(chunk.file)) return;
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    for (const imported of chunk.imports ?? []) add(imported);
  };
  for (const source of Object.keys(manifest)) {
    if (!source.startsWith("_") && !OF_A_FEW.test(source)) add(source);
  }
  return [...files].sort();
}

/** Writes dist/sw.js beside the build: the service worker, with the names of the files it caches. */
function serviceWorker(): Plugin {
  let folder = "";
  return {
    name: "omache-service-worker",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      const page = readFileSync(join(folder, "index.html"), "utf-8");
      const manifest: Manifest = JSON.parse(
        readFileSync(join(folder, ".vite/manifest.json"), "utf-8"),
      );
      const files = filesToKeep(manifest).map((file) => `/static/shop/${file}`);
      const entry = /src="([^"]+\/shop-[^"]+\.js)"/.exec(page)?.[1];
      if (!entry) throw new Error("index.html names no script of the shop's own.");
      const kept = { version: hash(page, files.join()), entry, files };
      await build({
        configFile: false,
        logLevel: "warn",
        publicDir: false,
        define: { BUILD: JSON.stringify(kept) },
        build: {
          outDir: folder,
          emptyOutDir: false,
          target: "es2022",
          rolldownOptions: {
            input: "src/worker/worker.ts",
            output: { format: "iife", entryFileNames: "sw.js" },
          },
        },
      });
    },
  };
}

export default defineConfig(({ command }) => ({
  // Built files are served by WhiteNoise; in development Vite serves the pages themselves.
  base: command === "build" ? "/static/shop/" : "/shop/",
  plugins: [react(), lingui({ macroTransform: true }), serviceWorker()],
  define: { SHAPE: JSON.stringify(SHAPE) },
  build: {
    target: "es2022",
    cssTarget: "chrome94",
    manifest: true,
    // The Content-Security-Policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Importing a name of ui/inputs through ui/parts must not pull in ui/parts.
      treeshake: { moduleSideEffects: [{ test: /src\/ui\/(?:parts|inputs)/, sideEffects: false }] },
      output: {
        // What all pages need is in two files: dependencies, which change rarely, and our own code.
        codeSplitting: {
          groups: [
            {
              name: "libraries",
              test: /node_modules\/(?!.*(?:infiniteQueryObserver|mutationObserver|useInfiniteQuery|useMutation))/,
            },
            {
              name: "shop",
              test: /src\/(?:main|api\/|app\/(?!Suggestions|Unread)|ui\/(?!ConfirmButton|inputs)|i18n\/\w+\.ts|cart\/(?:cart|useCart)|account\/useUser)/,
            },
          ],
        },
      },
    },
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    strictPort: true,
    // The API sees Vite's host name: sign-in by cookie requires the page's own origin.
    proxy: { [OF_THE_API]: { target: API, changeOrigin: false } },
  },
}));
