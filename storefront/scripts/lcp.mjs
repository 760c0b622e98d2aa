// Largest Contentful Paint on a cheap phone with a bad connection: 1.6 Mbit/s, 150 ms, a CPU four times
// slower, an empty cache. `node scripts/lcp.mjs http://127.0.0.1:8000 /shop/ …` prints the median.

import { chromium } from "@playwright/test";

const TIMES = 5;
const LINE = {
  offline: false,
  latency: 150,
  downloadThroughput: 200_000,
  uploadThroughput: 93_750,
};

const [base, ...paths] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const median = (values) => values.toSorted((one, other) => one - other)[values.length >> 1];

console.log(`${"page".padEnd(40)}   LCP ms   first ms    CLS     kB  (median of ${TIMES})`);
for (const path of paths) {
  const rows = [];
  for (let time = 0; time < TIMES; time++) rows.push(await visit(new URL(path, base).href));
  const of = (name) => median(rows.map((row) => row[name]));
  const spread = rows.map((row) => row.lcp).toSorted((one, other) => one - other);
  console.log(
    `${path.slice(0, 40).padEnd(40)} ${of("lcp").toFixed(0).padStart(8)} ${of("fcp").toFixed(0).padStart(10)}` +
      ` ${of("cls").toFixed(3).padStart(6)} ${of("bytes").toFixed(0).padStart(6)}  ${spread[0].toFixed(0)} to ${spread.at(-1).toFixed(0)}`,
  );
}
await browser.close();

async function visit(address) {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
    // It would begin to fetch its files while the page is measured.
    serviceWorkers: "block",
  });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", LINE);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  let bytes = 0;
  devtools.on("Network.loadingFinished", (event) => {
    bytes += event.encodedDataLength;
  });
  await page.addInitScript(() => {
    window.seen = { lcp: 0, cls: 0 };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.seen.lcp = entry.startTime;
    }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        if (!entry.hadRecentInput) window.seen.cls += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(address, { waitUntil: "networkidle" });
  const seen = await page.evaluate(() => ({
    ...window.seen,
    fcp: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
  }));
  await context.close();
  return { ...seen, bytes: bytes / 1000 };
}
