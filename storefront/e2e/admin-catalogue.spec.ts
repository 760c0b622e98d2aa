/** The catalogue's day at the admin: goods that are not as they should be, and what is said of them. */

import {
  comeIn,
  doWith,
  findAnything,
  hire,
  isForTheKeyboard,
  isSound,
  job,
  open,
  pressByKey,
  said,
} from "./staff";
import { aPicture, expect, goods, newcomer, staffMoves, test, unique } from "./story";

test.use({ viewport: { width: 1280, height: 800 }, hasTouch: false });

test("the catalogue puts goods right", async ({ page }) => {
  test.slow();
  const [catalogue, buyer] = [await hire("catalogue"), await newcomer("buyer")];
  const name = unique("Sufuria");
  const pot = await goods({ name });
  const order = await buyer.buys([pot.id]);
  const [line] = (await buyer.order(order.order_token)).order;
  await staffMoves(line.id, "fetched");
  await staffMoves(line.id, "delivered", { code: line.collection_code });
  await buyer.reviews(line.id, 1, "Rude words about its seller.");

  await test.step("sign in", async () => {
    await comeIn(page, catalogue);
    await isSound(page);
  });

  await job(page, "find goods by words of their name", 1, async () => {
    await findAnything(page, name.toLowerCase(), `Product ${name}`);
    await isSound(page);
    await isForTheKeyboard(page);
  });

  await job(page, "take them off the shop, without a mouse", 2, async () => {
    await pressByKey(page, page.getByRole("button", { name: "Unlist" }));
    await page.getByLabel("Why").fill("It is a copy");
    await isSound(page);
    await page.getByLabel("Why").press("Enter");
    await expect(said(page)).toContainText("1 of 1 done");
  });

  await job(page, "find them by their number, and list them again", 3, async () => {
    await findAnything(page, String(pot.id), `Product ${name}`);
    await doWith(page, "List again", "It is none");
    await expect(page.getByRole("button", { name: "Unlist" })).toBeVisible();
  });

  await job(
    page,
    "find them by their seller, and put words, category and price right",
    3,
    async () => {
      await findAnything(page, pot.seller.username, `Product ${name}`);
      await page.getByLabel("Name").fill(`${name} with lid`);
      await page.getByLabel("Category").selectOption("furniture");
      await page.getByRole("spinbutton", { name: "Price" }).fill("1450");
      await page.getByRole("button", { name: "Save and continue editing" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Product ${name} with lid`);
      await expect(page.getByLabel("Category")).toHaveValue("furniture");
    },
  );

  await job(page, "add two pictures", 4, async () => {
    const picture = { name: "pot.png", mimeType: "image/png", buffer: aPicture() };
    for (const count of [1, 2]) {
      await page.getByLabel("Another picture").setInputFiles(picture);
      await page.getByRole("button", { name: "Add it" }).click();
      await expect(page.locator(".page-pictures li")).toHaveCount(count);
    }
    await isSound(page);
  });

  await job(page, "put pictures into order", 1, async () => {
    await page.getByRole("button", { name: /^Later.* picture 1$/ }).click();
    await expect(said(page)).toContainText("done");
  });

  await job(page, "take a picture away", 1, async () => {
    await page.getByRole("button", { name: /^Remove.* picture 2$/ }).click();
    await expect(page.locator(".page-pictures li")).toHaveCount(1);
  });

  const ofTheGoods = async (list: string) => {
    await open(page, list);
    await page.getByRole("searchbox", { name: "Search", exact: true }).fill(String(pot.id));
    await page.getByRole("button", { name: "Search" }).click();
  };
  const reviews = page.locator("#reviews");

  await job(page, "hide a review of theirs", 2, async () => {
    await reviews.locator("summary", { hasText: "Hide" }).click();
    await reviews.getByLabel("Why").fill("It is rude");
    await isSound(page);
    await reviews.getByRole("button", { name: /^Hide it/ }).click();
    await expect(reviews).toContainText("Hidden");
  });

  await job(page, "show a review again", 1, async () => {
    await reviews.getByRole("button", { name: /^Show again/ }).click();
    await expect(reviews).toContainText("Shown");
  });

  await job(page, "see what moved their stock", 2, async () => {
    await ofTheGoods("Stock movements");
    await expect(page.getByText("2 rows")).toBeVisible();
    await isSound(page);
  });

  await test.step("see how the shop is doing", async () => {
    await open(page, "How the shop is doing");
    await isSound(page);
  });
});
