/** The delivery chosen at checkout: pick-up points and addresses. */

import {
  aPhone,
  arriveAtPoint,
  expect,
  goods,
  isAccessible,
  newUser,
  putInCart,
  signIn,
  test,
} from "./helpers";

test("a buyer chooses a pick-up point, sees the fee before paying, and is notified that the parcel is there", async ({
  page,
}) => {
  const [kettle, buyer, phone] = [await goods({ price: 1850 }), await newUser("buyer"), aPhone()];
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await page.goto("/shop/checkout");
  await expect(page.getByRole("button", { name: "Pay KES 1,850 with M-Pesa" })).toBeVisible();
  await page.getByLabel("M-Pesa number").fill(phone.number);

  await page.getByLabel("Collect at a pick-up point").check();
  await page.getByRole("button", { name: "Pay with M-Pesa" }).click();
  await expect(page.getByText("Choose a county.")).toBeVisible();
  await isAccessible(page);
  await page.getByLabel("County").selectOption("Nairobi City");
  await page.getByLabel("Kilimani Pick-up").check();
  await expect(page.getByText("Open: Mon–Sat 8:00–19:00")).toBeVisible();
  await expect(page.getByText(/^Delivery from seller/)).toBeVisible();
  await expect(page.getByText("Delivery: KES 100. Arrives within 1 day of payment.")).toBeVisible();
  await isAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  // What was chosen outlives the page.
  await page.reload();
  await expect(page.getByLabel("Kilimani Pick-up")).toBeChecked();
  await page.getByLabel("M-Pesa number").fill(phone.number);
  await page.getByRole("button", { name: "Pay KES 1,950 with M-Pesa" }).click();

  await expect(page.getByRole("heading", { name: "Enter your M-Pesa PIN" })).toBeVisible();
  await expect(page.getByText("Collect at a pick-up point")).toBeVisible();
  await isAccessible(page);
  await phone.enterPin();
  await page.getByRole("link", { name: "View order" }).click();
  await expect(page.getByText("Kilimani Pick-up, Argwings Kodhek Road")).toBeVisible();
  await isAccessible(page);
  const title = await page.getByRole("heading", { level: 1 }).textContent();
  await arriveAtPoint(title?.replace("Order ", "") ?? "");
  await page.reload();

  await expect(page.getByText("Ready to collect at the pick-up point")).toBeVisible();
  await isAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
});

test("an address saved at checkout is offered for the next order", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods({ price: 1850 }), await newUser("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await page.goto("/shop/checkout");
  await page.getByLabel("M-Pesa number").fill(phone.number);
  await page.getByLabel("Deliver to an address").check();
  await page.getByLabel("Recipient's name").fill("Wanjiku Kamau");
  await page.getByLabel("Recipient's phone").fill("0712 345 678");
  await page.getByLabel("County").selectOption("Kiambu");
  await page.getByLabel("Town, estate or street").fill("Ruiru");
  await isAccessible(page);
  await page.getByRole("button", { name: "Pay KES 2,150 with M-Pesa" }).click();
  await page.waitForURL(/\/shop\/pay\//);
  await expect(page.getByText("Ruiru, Kiambu")).toBeVisible();

  await page.goto("/shop/account/addresses");
  await expect(page.getByText("Ruiru, Kiambu")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: "Add an address" }).click();
  await isAccessible(page);
  await page.getByLabel("Address name").fill("shop");
  await page.getByLabel("Recipient's name").fill("Wanjiku Kamau");
  await page.getByLabel("Recipient's phone").fill("0712 345 678");
  await page.getByLabel("County").selectOption("Nairobi City");
  await page.getByLabel("Town, estate or street").fill("Gikomba");
  await page.getByRole("button", { name: "Save address" }).click();
  await page.getByRole("button", { name: "Make default" }).click();
  await expect(page.locator("li.panel").first()).toContainText("Gikomba");

  await putInCart(page, kettle.id);
  await page.goto("/shop/checkout");
  await page.getByLabel("shop: Gikomba, Nairobi City").check();
  await expect(page.getByRole("button", { name: "Pay KES 2,100 with M-Pesa" })).toBeVisible();
});
