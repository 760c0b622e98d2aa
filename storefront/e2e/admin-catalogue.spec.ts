/** The catalogue's day at the admin: goods that are not as they should be, and what is said of them. */

import { readFile } from "node:fs/promises";
import { aPicture, expect, goods, moveLineAsStaff, newUser, test, unique } from "./helpers";
import {
  doWith,
  findAnything,
  hire,
  isForTheKeyboard,
  isSound,
  job,
  open,
  pressByKey,
  said,
  signInToAdmin,
} from "./staff";

test.use({ viewport: { width: 1280, height: 800 }, hasTouch: false });

test("the catalogue role corrects listings, pictures and reviews", async ({ page }) => {
  test.slow();
  const [catalogue, buyer] = [await hire("catalogue"), await newUser("buyer")];
  const name = unique("Sufuria");
  const pot = await goods({ name });
  const order = await buyer.buys([pot.id]);
  const [line] = (await buyer.order(order.order_token)).order;
  await moveLineAsStaff(line.id, "fetched");
  await moveLineAsStaff(line.id, "delivered", { code: line.collection_code });
  await buyer.reviews(line.id, 1, "Rude words about its seller.");

  await test.step("sign in", async () => {
    await signInToAdmin(page, catalogue);
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

  await job(page, "add two pictures", 2, async () => {
    const [pot, lid] = ["pot.png", "lid.png"].map((picture) => ({
      name: picture,
      mimeType: "image/png",
      buffer: aPicture(),
    }));
    await page.getByLabel("More pictures").setInputFiles([pot, lid].filter((each) => !!each));
    await page.getByRole("button", { name: "Add them" }).click();
    await expect(page.locator(".page-pictures li")).toHaveCount(2);
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

  const sheetOf = async (change: (row: string) => string) => {
    const [columns, ...rows] = exported.trimEnd().split(/\r?\n/);
    const row = rows.find((each) => each.includes(name)) ?? "";
    const buffer = Buffer.from(`${columns}\n${change(row)}\n`);
    return { name: "goods.csv", mimeType: "text/csv", buffer };
  };
  let exported = "";

  await job(page, "take a seller’s goods along as a sheet", 4, async () => {
    await open(page, "Products");
    await page.getByRole("searchbox", { name: "Search", exact: true }).fill(pot.seller.username);
    await page.getByRole("searchbox", { name: "Search", exact: true }).press("Enter");
    await page.getByRole("link", { name: "Export as a sheet" }).click();
    await isSound(page);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download it" }).click();
    exported = await readFile(await (await download).path(), "utf-8");
    expect(exported).toContain(name);
  });

  await test.step("be told by the preview which row is wrong, and that nothing is saved", async () => {
    await open(page, "Products");
    await page.getByRole("link", { name: "Import a sheet" }).click();
    await isSound(page);
    const wrong = await sheetOf((row) => row.replace("1450", "a few shillings"));
    await page.getByLabel("File to import").setInputFiles(wrong);
    await page.getByRole("button", { name: "Show what it would do" }).click();
    await expect(page.getByRole("heading", { name: "Rows that cannot be saved" })).toBeVisible();
    await expect(page.locator("#content")).toContainText("Nothing is saved.");
    await isSound(page);
  });

  await job(page, "bring goods in by a sheet, after looking at its preview", 5, async () => {
    await open(page, "Products");
    await page.getByRole("link", { name: "Import a sheet" }).click();
    await page
      .getByLabel("File to import")
      .setInputFiles(await sheetOf((row) => row.replace("1450", "1475")));
    await page.getByRole("button", { name: "Show what it would do" }).click();
    await expect(page.getByRole("region", { name: "What it would do" })).toContainText("1475");
    await isSound(page);
    await page.getByRole("button", { name: "Save these rows" }).click();
    await expect(said(page)).toContainText("Sheet imported: 0 new, 1 changed, 0 unchanged.");
  });

  await test.step("see how the shop is doing", async () => {
    await open(page, "How the shop is doing");
    await isSound(page);
  });
});
