// Compares the build with its budgets, in kB after gzip -9. `npm run size` after a build.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = { script: 115, style: 8, page: 15, worker: 3, kept: 200 };
const DIST = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", DIST)));

const sizes = new Map();
function sizeOf(file) {
  if (!sizes.has(file)) {
    sizes.set(file, gzipSync(readFileSync(new URL(file, DIST)), { level: 9 }).length / 1000);
  }
  return sizes.get(file);
}

/** The files of a source and of all its static imports. */
function closure(source, files = new Set()) {
  const chunk = manifest[source];
  if (!chunk || files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const imported of chunk.imports ?? []) closure(imported, files);
  return files;
}

/** The files named in index.html: every page loads them. */
const named = readFileSync(new URL("index.html", DIST), "utf-8").matchAll(/assets\/[\w.-]+/g);
const everywhere = new Set([...named].map(([file]) => file));
const scripts = [...everywhere].filter((file) => file.endsWith(".js"));
const styles = [...everywhere].filter((file) => file.endsWith(".css"));

const sum = (files) => [...files].reduce((total, file) => total + sizeOf(file), 0);
const texts = (part) =>
  ["en", "sw"].map((language) => sizeOf(manifest[`src/i18n/${language}/${part}.po`].file));
const pages = Object.keys(manifest).filter((source) => /^src\/\w+\/\w+Page\.tsx$/.test(source));
const own = new Map(
  pages.map((page) => {
    return [page, sum([...closure(page)].filter((file) => !everywhere.has(file)))];
  }),
);

const rows = [
  ["style of every page", sum(styles), BUDGET.style],
  [
    "script of the first load: home, and the longer language",
    sum(scripts) + own.get("src/catalogue/HomePage.tsx") + Math.max(...texts("shop")),
    BUDGET.script,
  ],
  ["texts of the pages that come later", Math.max(...texts("buying")), BUDGET.page],
  ["texts of the seller's pages", Math.max(...texts("selling")), BUDGET.page],
  ["texts of who brings parcels", Math.max(...texts("delivering")), BUDGET.page],
  ...[...own].map(([page, size]) => [page, size, BUDGET.page]),
];
const worker = readFileSync(new URL("sw.js", DIST), "utf-8");
const keptFromTheBeginning = new Set(worker.match(/assets\/[\w.-]+\.(?:js|css)/g));
rows.push(
  ["the service worker", sizeOf("sw.js"), BUDGET.worker],
  ["what it keeps from the beginning", sum(keptFromTheBeginning), BUDGET.kept],
);
let isOver = false;
for (const [name, size, budget] of rows) {
  const mark = size > budget ? "OVER" : "ok";
  isOver ||= size > budget;
  console.log(`${mark.padEnd(5)} ${size.toFixed(1).padStart(6)} of ${budget} kB  ${name}`);
}
process.exit(isOver ? 1 : 0);
