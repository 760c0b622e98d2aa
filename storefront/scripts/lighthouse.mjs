// Lighthouse's scores for accessibility, best practices and SEO of each page; fails below 100. `make bench`
// runs it. Lighthouse has 111 MB, so it is no dependency but downloaded for each run.
// `node scripts/lighthouse.mjs http://127.0.0.1:8000 /shop/ …` checks a running shop.

import { execFileSync } from "node:child_process";

const LIGHTHOUSE = "lighthouse@12.2.3";
const OPTIONS = [
  "--quiet",
  "--output=json",
  "--only-categories=accessibility,best-practices,seo",
  "--chrome-flags=--headless=new --no-sandbox",
];

const [base, ...paths] = process.argv.slice(2);
let isShort = false;
for (const path of paths) {
  const told = execFileSync(
    "npm",
    ["exec", "--yes", `--package=${LIGHTHOUSE}`, "--", "lighthouse", base + path, ...OPTIONS],
    {
      env: { ...process.env, CHROME_PATH: "/usr/bin/chromium" },
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 64_000_000,
    },
  );
  const { categories, audits } = JSON.parse(told);
  const scores = Object.values(categories).map(({ title, score }) => `${title} ${score * 100}`);
  console.log(`${path.padEnd(40)} ${scores.join(", ")}`);
  isShort ||= Object.values(categories).some(({ score }) => score < 1);
  for (const { id, score, scoreDisplayMode: mode } of Object.values(audits)) {
    if (score !== null && score < 1 && mode === "binary") console.log(`  failed: ${id}`);
  }
}
process.exit(isShort ? 1 : 0);
