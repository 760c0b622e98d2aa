/** Without a network: what the service worker stores, for how long, and new versions. */

import type { Page } from "@playwright/test";
import { expect, goods, isAccessible, newUser, putInCart, signIn, test } from "./helpers";

test.use({ serviceWorkers: "allow" });

/** The worker has kept the shop, and looks after this page. */
async function isKept(page: Page): Promise<void> {
  await page.waitForFunction(
    () => navigator.serviceWorker.controller?.state === "activated",
    undefined,
    { timeout: 60_000 },
  );
}

/** Whether the browser would know this without a line. */
function isWrittenDown(page: Page, text: string): Promise<boolean> {
  return page.evaluate((wanted) => JSON.stringify(localStorage).includes(wanted), text);
}

test("offline the shop opens, with the products seen last, the cart and the order's code", async ({
  page,
  context,
  mayFail,
}) => {
  const [kettle, buyer] = [await goods(), await newUser("buyer")];
  const order = await buyer.buys([kettle.id]);
  mayFail.requests = true;
  await signIn(page, buyer);
  await page.goto("/shop/");
  await isKept(page);
  await putInCart(page, kettle.id);
  await page.goto(`/shop/orders/${order.order_token}`);
  const code = await page.locator(".code output").textContent();
  // What was read is written down after half a second.
  await expect.poll(() => isWrittenDown(page, order.order_token)).toBe(true);

  await context.setOffline(true);

  await page.goto(`/shop/orders/${order.order_token}`);
  await expect(page.locator(".code output")).toHaveText(code ?? "");
  await expect(page.getByText("No connection to the shop.")).toBeVisible();
  await isAccessible(page);
  await page.goto(`/shop/product/${kettle.id}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(kettle.name);
  await page.getByRole("link", { name: /^Cart/ }).click();
  await expect(page.locator(".line")).toContainText(kettle.name);
  await expect(page.getByText("This will load when there is one.")).toBeVisible();
  await page.goto("/shop/");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What do you need today?");

  await page.goto("/shop/cart");
  await context.setOffline(false);
  // Nobody pressed anything: it is offered again as the line comes back.
  await expect(page.getByRole("link", { name: "Checkout" })).toBeVisible();
  await expect(page.getByText("No connection to the shop.")).toBeHidden();
});

test("a user's data is gone from the cache once they have signed out", async ({
  page,
  context,
  mayFail,
}) => {
  const [kettle, buyer] = [await goods(), await newUser("buyer")];
  const order = await buyer.buys([kettle.id]);
  mayFail.requests = true;
  await signIn(page, buyer);
  await page.goto(`/shop/orders/${order.order_token}`);
  await isKept(page);
  await expect(page.locator(".code output")).toBeVisible();
  const left = () => isWrittenDown(page, order.order_token);
  await expect.poll(left).toBe(true);

  await page.goto("/shop/account");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();

  await expect.poll(left).toBe(false);
  await context.setOffline(true);
  await page.goto(`/shop/orders/${order.order_token}`);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("a new version is offered, and replaces no page that is in use", async ({ page }) => {
  await seemOld(page);
  await page.goto("/shop/cart");
  await isKept(page);

  // Another address of the worker is another worker: this is what a deploy looks like from here.
  await page.evaluate(() => navigator.serviceWorker.register("/shop/sw.js?of=another"));

  await expect(page.getByText("A new version of the shop is available.")).toBeVisible();
  await isAccessible(page);
  const loaded = page.waitForEvent("load");
  await page.getByRole("button", { name: "Update now" }).click();
  await loaded;
  await expect(page.getByRole("heading", { name: "Your cart is empty" })).toBeVisible();
  await expect(page.getByText("A new version of the shop is available.")).toBeHidden();
});

/** Let the page come from a build of before: its script had another name. */
async function seemOld(page: Page): Promise<void> {
  const script = /assets\/shop-[\w-]{8}\.js/;
  const old = "assets/shop-ofbefore.js";
  await page.route("/shop/cart", async (route) => {
    const answer = await route.fetch();
    const text = await answer.text();
    const now = script.exec(text)?.[0];
    await page.route(`**/${old}`, (asked) =>
      asked.fulfill({ path: `dist/${now}`, contentType: "text/javascript" }),
    );
    await route.fulfill({ response: answer, body: text.replace(script, old) });
  });
}
