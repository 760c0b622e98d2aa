/** Prices that change, double orders, lost answers, several tabs, sessions that end. */

import {
  aPhone,
  cashOut,
  expect,
  goods,
  isAccessible,
  newUser,
  putInCart,
  signIn,
  test,
} from "./helpers";

test("the cart shows the old and the new price after a change", async ({ page }) => {
  const kettle = await goods({ price: 500 });
  await putInCart(page, kettle.id);
  await kettle.reprice(900);

  await page.goto("/shop/cart");

  await expect(page.getByText("The price has changed from KES 500 to KES 900.")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: "OK" }).click();
  await expect(page.getByText("The price has changed")).toBeHidden();
});

test("a price that changes during checkout is never charged unseen", async ({ page, mayFail }) => {
  const [kettle, buyer, phone] = [await goods({ price: 500 }), await newUser("buyer"), aPhone()];
  mayFail.requests = true;
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await page.goto("/shop/checkout");
  await page.getByLabel("M-Pesa number").fill(phone.number);
  await expect(page.getByRole("button", { name: "Pay KES 500 with M-Pesa" })).toBeVisible();
  await kettle.reprice(900);

  await page.getByRole("button", { name: "Pay KES 500 with M-Pesa" }).click();

  await expect(page.getByText("The new total is KES 900. You have not ordered yet")).toBeVisible();
  expect(await buyer.orders()).toEqual([]);
  await isAccessible(page);
  await page.getByRole("button", { name: "Pay KES 900 with M-Pesa" }).click();
  await phone.enterPin();
  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("a page reloaded before the answer came finds its one order", async ({ page, mayFail }) => {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  mayFail.requests = true;
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await page.goto("/shop/checkout");
  // The shop gets the order, and its answer is lost, each time.
  let placed = 0;
  await page.route("**/cashout/", async (route) => {
    await route.fetch();
    placed += 1;
    await route.abort();
  });
  await page.getByLabel("M-Pesa number").fill(phone.number);
  await page.getByRole("button", { name: /^Pay KES/ }).click();
  await expect.poll(() => placed).toBeGreaterThan(0);
  await page.unroute("**/cashout/");

  await page.reload();

  await page.waitForURL(/\/shop\/pay\//);
  expect(await buyer.orders()).toHaveLength(1);
  await phone.enterPin();
  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("pressing twice makes one order", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await page.goto("/shop/checkout");
  await page.getByLabel("M-Pesa number").fill(phone.number);

  await page.getByRole("button", { name: /^Pay KES/ }).dblclick();

  await page.waitForURL(/\/shop\/pay\//);
  expect(await buyer.orders()).toHaveLength(1);
});

test("products that are sold out or short are marked in the cart, with a way on", async ({
  page,
}) => {
  const [kettle, pot] = [await goods({ item_number: 2 }), await goods()];
  await putInCart(page, kettle.id);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.getByRole("button", { name: "Add to cart" }).click();
  await putInCart(page, pot.id);
  await pot.takeOff();

  await page.goto("/shop/cart");

  await expect(page.getByText("No longer available.")).toBeVisible();
  await expect(page.getByText("Only 2 left.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Checkout" })).toBeDisabled();
  await isAccessible(page);
  await page.getByRole("button", { name: "Change to 2" }).click();
  await page.getByRole("button", { name: `Remove ${pot.name}` }).click();
  await expect(page.getByRole("link", { name: "Checkout" })).toBeVisible();
});

test("stock that changes during checkout is shown on the line", async ({ page, mayFail }) => {
  const [kettle, buyer, other] = [
    await goods({ item_number: 1 }),
    await newUser("buyer"),
    await newUser("other"),
  ];
  mayFail.requests = true;
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await page.goto("/shop/checkout");
  await page.getByLabel("M-Pesa number").fill(aPhone().number);
  const pay = page.getByRole("button", { name: /^Pay KES/ });
  // Quoted while one was left: had the other been sooner, there would be nothing to press.
  await expect(pay).toBeEnabled();
  await fetch(`${process.env.STORY_SHOP}/cashout/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${other.access}` },
    body: JSON.stringify({
      order: [{ product: kettle.id, number: 1 }],
      mpesa_number: aPhone().number,
    }),
  });

  await pay.click();

  await expect(page.getByText("Sold out", { exact: false }).first()).toBeVisible();
  await isAccessible(page);
});

test("two tabs have one cart", async ({ page, context }) => {
  const [kettle, pot] = [await goods(), await goods()];
  await putInCart(page, kettle.id);
  const second = await context.newPage();
  await putInCart(second, pot.id);

  await page.bringToFront();
  await page.getByRole("link", { name: /^Cart/ }).click();

  await expect(page.getByRole("link", { name: kettle.name })).toBeVisible();
  await expect(page.getByRole("link", { name: pot.name })).toBeVisible();
});

test("eight tabs loaded at once stay signed in", async ({ page, context }) => {
  const buyer = await newUser("buyer");
  await signIn(page, buyer);
  await page.goto("/shop/orders");
  await expect(page.getByText("No orders yet")).toBeVisible();
  const tabs = await Promise.all(Array.from({ length: 7 }, () => context.newPage()));

  await Promise.all([page, ...tabs].map((tab) => tab.goto("/shop/orders")));

  for (const tab of [page, ...tabs]) {
    await expect(tab.getByText("No orders yet")).toBeVisible();
  }
  expect(await page.evaluate(() => document.cookie + JSON.stringify(localStorage))).not.toMatch(
    /refresh|eyJ/,
  );
  let renewals = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/token/refresh/")) renewals += 1;
  });
  await page.reload();
  await expect(page.getByText("No orders yet")).toBeVisible();
  // None where another tab had just been given a token, and told the others.
  expect(renewals).toBeLessThanOrEqual(1);
});

test("after a session was ended elsewhere, signing in returns to the same page", async ({
  page,
  mayFail,
}) => {
  const buyer = await newUser("buyer");
  mayFail.requests = true;
  await signIn(page, buyer);
  await page.goto("/shop/orders");
  await expect(page.getByText("No orders yet")).toBeVisible();
  await buyer.endAllSessions();

  await page.reload();

  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.getByLabel("User name or email").fill(buyer.username);
  await page.getByLabel("Password").fill("not this one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Wrong user name or password")).toBeVisible();
  await isAccessible(page);
  await page.getByLabel("Password").fill(buyer.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Orders", exact: true })).toBeVisible();
});

test("signing out in one tab signs out the other", async ({ page, context }) => {
  const buyer = await newUser("buyer");
  await signIn(page, buyer);
  await page.goto("/shop/account");
  await expect(page.getByRole("heading", { name: buyer.username })).toBeVisible();
  const second = await context.newPage();
  await second.goto("/shop/orders");
  await expect(second.getByText("No orders yet")).toBeVisible();

  await page.getByRole("button", { name: "Sign out", exact: true }).click();

  await expect(second.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("a user does not see the orders of the previous one", async ({ page, mayFail }) => {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  const other = await newUser("other");
  mayFail.requests = true;
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, phone.number);
  const order = new URL(page.url()).pathname;
  await page.getByRole("link", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("User name or email").fill(other.username);
  await page.getByLabel("Password").fill(other.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: other.username })).toBeVisible();
  const menu = page.getByRole("navigation", { name: "Main menu" });
  await menu.getByRole("link", { name: "Orders" }).click();
  await expect(page.getByText("No orders yet")).toBeVisible();

  const answer = page.waitForResponse((response) => response.url().includes("/cashout/"));
  await page.evaluate((path) => {
    history.pushState({}, "", path);
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  }, order);

  expect((await answer).status()).toBe(404);
  await expect(page.getByText(kettle.name)).toBeHidden();
});
