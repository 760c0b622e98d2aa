// Draws public/icons/ from public/icon.svg, in Chromium. Run `node scripts/icons.mjs` after changing it.

import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const PUBLIC = new URL("../public/", import.meta.url);
const sign = readFileSync(new URL("icon.svg", PUBLIC), "utf-8");
/** Name, pixels, and the sign's share of the side: a mask may cut off all but the middle 80 %. */
const ICONS = [
  ["192", 192, 1],
  ["512", 512, 1],
  ["maskable", 512, 0.66],
  ["apple-touch", 180, 0.8],
];

mkdirSync(new URL("icons/", PUBLIC), { recursive: true });
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
for (const [name, side, share] of ICONS) {
  const page = await browser.newPage({ viewport: { width: side, height: side } });
  const ground = share < 1 ? "#0b5f73" : "transparent";
  await page.setContent(
    `<body style="margin:0;background:${ground};display:grid;place-items:center;height:100vh">` +
      `<div style="width:${side * share}px;height:${side * share}px">${sign}</div></body>`,
  );
  await page.screenshot({
    path: fileURLToPath(new URL(`icons/${name}.png`, PUBLIC)),
    omitBackground: true,
  });
  await page.close();
}
await browser.close();
