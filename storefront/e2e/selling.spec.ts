/** The seller's pages: listings, stock, spreadsheets, sales and money. */

import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import {
  aPicture,
  expect,
  goods,
  isAccessible,
  moveLineAsStaff,
  newUser,
  signIn,
  test,
  unique,
} from "./helpers";

// Whole days, on a machine that does other things as well.
test.slow();

/** Go on with the Tab key until there. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`No way by the keyboard to ${wanted}`);
}

/** Nothing on these pages is wider than a small phone. */
async function fitsEverywhere(page: Page, paths: string[]): Promise<void> {
  for (const path of paths) {
    await page.goto(`/shop/${path}`);
    await page.waitForLoadState("networkidle");
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBe(320);
  }
}

test("a first product is listed by keyboard alone, restocked, and repriced by a spreadsheet", async ({
  page,
}) => {
  const seller = await newUser("seller");
  const name = `Kettle ${unique("k")}`;
  await page.setViewportSize({ width: 320, height: 640 });

  // From the shop's foot to a listing, without a mouse.
  await page.goto("/shop/cart");
  await tabTo(page, page.getByRole("link", { name: "Sell on O-Mache" }));
  await page.keyboard.press("Enter");
  await page.waitForURL(/sign-in/);
  await tabTo(page, page.getByLabel("User name or email"));
  await page.keyboard.type(seller.username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(seller.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/shop/selling/new");
  await expect(page.getByRole("heading", { name: "Sell your first product" })).toBeVisible();
  await isAccessible(page);
  const chooser = page.waitForEvent("filechooser");
  await tabTo(page, page.getByLabel("Choose pictures"));
  await page.keyboard.press("Enter");
  const png = { name: "kettle.png", mimeType: "image/png", buffer: aPicture() };
  await (await chooser).setFiles([png, { ...png, name: "side.png" }]);
  await expect(page.getByRole("button", { name: "Remove picture 2" })).toBeVisible();
  await tabTo(page, page.getByLabel("Product name"));
  await page.keyboard.type(name);
  await page.reload();
  await expect(page.getByLabel("Product name")).toHaveValue(name);
  await expect(page.getByRole("button", { name: "Remove picture 2" })).toBeVisible();
  await isAccessible(page);
  await tabTo(page, page.getByLabel("Category"));
  await page.keyboard.type("Kitchen");
  await page.keyboard.press("Tab");
  await page.keyboard.type("1,850");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.type("0722000001");
  await page.keyboard.press("Enter");
  await expect(page.getByText("It is on sale. Share it:")).toBeVisible();
  await expect(page.getByRole("button", { name: "Remove picture 2" })).toBeVisible();
  await isAccessible(page);
  const kettle = { id: Number(new URL(page.url()).pathname.split("/").at(-1)), name };

  await page.goto("/shop/selling/listings");
  await page.getByRole("button", { name: /^Restock/ }).click();
  await isAccessible(page);
  await page.getByLabel("Quantity").fill("4");
  await page.getByLabel("Note").fill("From Nakuru");
  await page.getByRole("button", { name: "Add to stock" }).click();
  await expect(page.getByText(`${name}: 5 in stock.`)).toBeVisible();
  await page.getByRole("link", { name: `Edit (${name})` }).click();
  await page.getByText("Stock history").click();
  await expect(page.getByText("Restocked: From Nakuru")).toBeVisible();
  await isAccessible(page);

  await page.goto("/shop/selling/sheets");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download listings" }).click();
  const sheet = await readFile(await (await download).path(), "utf-8");
  expect(sheet).toContain(name);
  const [columns, row = ""] = sheet.trimEnd().split(/\r?\n/);
  const rows = [row.replace(",1850,", ",1900,"), row.replace(",1850,", ",cheap,")];
  const changed = Buffer.from([columns, ...rows, ""].join("\r\n"));
  await page
    .getByLabel("Choose a file")
    .setInputFiles({ name: "goods.csv", mimeType: "text/csv", buffer: changed });
  await page.getByRole("button", { name: "Check file" }).click();
  await expect(page.getByText("1 changed")).toBeVisible();
  await expect(page.getByText("1 rejected")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByText("Done. Results:")).toBeVisible();
  await page.goto(`/shop/seller/${seller.username}`);
  await expect(page.getByText("KES 1,900")).toBeVisible();
  await isAccessible(page);

  await fitsEverywhere(page, [
    "selling/new",
    "selling/listings",
    `selling/listings/${kettle.id}`,
    "selling/sheets",
    `seller/${seller.username}`,
  ]);
});

test("a seller sees a new order, hands it over by the buyer's code, answers a review, and sees the money", async ({
  page,
  mayFail,
}) => {
  // A wrong code is refused.
  mayFail.requests = true;
  const kettle = await goods({ price: 1850 });
  const pot: { id: number; name: string } = await kettle.add({
    name: `${kettle.name} lid`,
    category: "kitchen",
    price: 700,
    item_number: 2,
    description: "Fits.",
    payment_mpesa_number: "0722000001",
  });
  const buyer = await newUser("buyer");
  const order = await buyer.buys([kettle.id, pot.id]);
  const { order: lines } = await buyer.order(order.order_token);
  const kettleLine = lines.find((line: { product: number }) => line.product === kettle.id);
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, kettle.seller);

  await page.goto("/shop/account");
  await expect(page.getByText("2 to hand over")).toBeVisible();
  await isAccessible(page);
  await page.goto(`/shop/selling/orders?order=${order.reference}`);
  const kettleRow = page.locator("li.sale", { hasText: `1 × ${kettle.name}`, hasNotText: "lid" });
  const potRow = page.locator("li.sale", { hasText: pot.name });
  await expect(page.locator("li.sale.marked")).toHaveCount(2);
  await expect(page.locator("li.sale.marked").first()).toBeInViewport();
  await isAccessible(page);

  await potRow.getByRole("button", { name: /^I cannot deliver this/ }).click();
  await isAccessible(page);
  await potRow.getByLabel("Why? The buyer will see this.").fill("It has a crack.");
  await potRow.getByLabel("Put the item back in stock").check();
  await potRow.getByRole("button", { name: "Cancel sale" }).click();
  await expect(page.getByText(/^Cancelled: .* KES.700 is refunded to the buyer\.$/)).toBeVisible();
  await expect(potRow).toHaveCount(0);

  await moveLineAsStaff(kettleLine.id, "fetched");
  await page.reload();
  const code: string = (await buyer.order(order.order_token)).order.find(
    (line: { id: number }) => line.id === kettleLine.id,
  ).collection_code;
  const wrong = code === "111111" ? "222222" : "111111";
  await kettleRow.getByLabel("The buyer's code").fill(wrong);
  await kettleRow.getByRole("button", { name: "Hand over" }).click();
  await expect(kettleRow.getByText(/^This is not the buyer's code/)).toBeVisible();
  await isAccessible(page);
  await kettleRow.getByLabel("The buyer's code").fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await kettleRow.getByRole("button", { name: "Hand over" }).click();
  await expect(page.getByText(/^Handed over:/)).toBeVisible();
  await expect(page.getByText("Nothing to hand over")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("link", { name: "Delivered" }).click();
  await expect(kettleRow.getByText("Delivered", { exact: true })).toBeVisible();

  await buyer.reviews(kettleLine.id, 4, "The lid is stiff.");
  await page.goto("/shop/selling");
  await expect(page.getByText("1 review to reply to")).toBeVisible();
  await isAccessible(page);
  await page.getByText("review to reply to").click();
  await page.getByRole("button", { name: /^Reply/ }).click();
  await isAccessible(page);
  await page.getByLabel("Your reply").fill("It gets easier.");
  await page.getByRole("button", { name: "Send reply" }).click();
  await expect(page.getByText("Nothing here")).toBeVisible();
  await page.getByRole("link", { name: "All", exact: true }).click();
  await expect(page.getByText("It gets easier.")).toBeVisible();

  await buyer.reports(kettleLine.id, "The handle is loose.");
  await page.goto("/shop/selling/money");
  await expect(page.getByText("The shop owes you")).toBeVisible();
  await expect(page.getByText(/^Sale/)).toBeVisible();
  await isAccessible(page);
  await page.goto("/shop/selling/problems");
  await page.getByText("View and reply").click();
  await expect(page.getByText("The handle is loose.")).toBeVisible();
  const picture = page.getByRole("img", { name: "Picture" });
  await expect
    .poll(() => picture.evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height]))
    .toEqual([2, 2]);
  await page.getByLabel("Your reply").fill("I am sorry.");
  await page.getByRole("button", { name: "Send reply" }).click();
  await expect(page.getByText("I am sorry.")).toBeVisible();
  await page.getByRole("button", { name: /^Refund part of it/ }).click();
  await isAccessible(page);
  await page.getByLabel("Refund amount (KES)").fill("300");
  await page.getByRole("button", { name: "Yes, I agree" }).click();
  await expect(page.getByText(/^Part of the price is refunded: KES.300$/)).toBeVisible();
  await isAccessible(page);
  await fitsEverywhere(page, [
    "selling",
    "selling/orders",
    "selling/orders?status=delivered",
    "selling/reviews",
    "selling/money",
    "selling/problems",
  ]);
});
