/** Every page of the admin, one of each kind, as its owner sees it: nobody is kept out of any. */

import { comeIn, hire, isSound, isSoundInTheDark } from "./staff";
import { aPhone, expect, goods, newcomer, staffMoves, test } from "./story";

test.use({ viewport: { width: 1280, height: 800 }, hasTouch: false });

/** No pages: files, pictures, and what does something when it is opened. */
const NOT_HERE = /\/(logout|csv|picture)\/|^\/admin\/jsi18n\//;

/** A sale in every table: bought, told of, handed over, reviewed, and one that went wrong. */
async function trade(): Promise<void> {
  const [pot, kettle, buyer, phone] = [
    await goods(),
    await goods(),
    await newcomer("buyer"),
    aPhone(),
  ];
  const order = await buyer.buys([pot.id, kettle.id], undefined, phone);
  const [line, other] = (await buyer.order(order.order_token)).order;
  await staffMoves(line.id, "fetched");
  await staffMoves(line.id, "delivered", { code: line.collection_code });
  await buyer.reviews(line.id, 2, "Smaller than I thought.");
  await buyer.reports(other.id, "It never came.");
}

test("the owner opens every page there is", async ({ page }) => {
  test.slow();
  const [owner] = await Promise.all([hire("finance", { is_superuser: "on" }), trade()]);
  await comeIn(page, owner);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Running the shop");

  const seen = new Set<string>();
  const ways = ["/admin/", "/admin/find/?q=w"];
  for (let way = ways.shift(); way; way = ways.shift()) {
    const kind = way.replace(/\?.*/, "").replace(/\d+/g, "#");
    if (seen.has(kind) || NOT_HERE.test(kind)) continue;
    seen.add(kind);
    const answer = await page.goto(way);
    expect({ way, status: answer?.status() }).toEqual({ way, status: 200 });
    // What is folded is looked at too.
    await page.locator("main details").evaluateAll((all) => {
      for (const each of all) each.setAttribute("open", "");
    });
    await isSound(page);
    await isSoundInTheDark(page);
    const found = await page
      .locator("a[href^='/admin/']")
      .evaluateAll((all) => all.map((each) => each.getAttribute("href") ?? ""));
    ways.push(...found.map((each) => each.replace(/#.*/, "")));
  }
  // A shelf that nothing leads to any more would go unseen.
  expect(seen.size).toBeGreaterThan(60);
});
