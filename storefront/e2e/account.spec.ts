/** A user's account: profile, preferences, password, data, deletion. */

import { expect, isAccessible, newUser, signIn, test } from "./helpers";

test("an account: name, message preferences, password", async ({ page }) => {
  const buyer = await newUser("buyer");
  await signIn(page, buyer);
  await page.goto("/shop/account");
  await page.getByLabel("First name").fill("Wanjiku");
  await page
    .locator("form", { has: page.getByLabel("First name") })
    .getByRole("button")
    .click();
  await expect(page.getByText("Saved.")).toBeVisible();
  const wantsMail = page.getByLabel("Email me about my sales");
  const before = await wantsMail.isChecked();
  await wantsMail.click();
  await expect(wantsMail).toBeChecked({ checked: !before });
  await page.getByLabel("Current password").fill(buyer.password);
  await page.getByLabel("New password").fill("maharagwe matamu 9");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(
    page.getByText("Password changed. Your other devices are signed out."),
  ).toBeVisible();
  await isAccessible(page);

  await page.reload();

  await expect(page.getByLabel("First name")).toHaveValue("Wanjiku");
  await expect(page.getByLabel("Email me about my sales")).toBeChecked({ checked: !before });
});

test("a user downloads their data and deletes their account", async ({ page, mayFail }) => {
  // A wrong password is refused.
  mayFail.requests = true;
  const person = await newUser("leaver");
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, person);
  await page.goto("/shop/account");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download your data" }).click();
  expect((await download).suggestedFilename()).toMatch(/^omache-\d+-[\d-]+\.json$/);

  await page.getByRole("link", { name: "Delete your account" }).click();
  await page.getByLabel("Your password").fill("not it");
  await page.getByLabel(/^I understand this/).check();
  await page.getByRole("button", { name: "Delete my account" }).click();
  await expect(page.getByText("This is not your password.")).toBeVisible();
  await isAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  await page.getByLabel("Your password").fill(person.password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Your account is deleted" })).toBeVisible();
  await isAccessible(page);
  await expect.poll(() => page.evaluate(() => localStorage.length)).toBe(0);
  await page.getByRole("link", { name: "Go to the shop" }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
});
