/** Buying and paying, with every outcome of a prompt; buying without an account. */

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
  unique,
} from "./helpers";

test("a new user finds a product by search, registers at checkout, and pays with the PIN", async ({
  page,
}) => {
  const word = unique("birika");
  const kettle = await goods({ name: `Kettle ${word}`, price: 1850 });
  const phone = aPhone();

  await page.goto("/shop/");
  await isAccessible(page);
  await page.getByRole("combobox", { name: "Search" }).fill(word);
  await expect(page.getByRole("option", { name: `${kettle.name} KES` })).toBeVisible();
  await isAccessible(page);
  await page.getByRole("option", { name: `${kettle.name} KES` }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(kettle.name);
  await isAccessible(page);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.getByRole("link", { name: "View cart" }).click();
  await expect(page.getByText("Total")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("link", { name: "Checkout" }).click();

  await page.getByRole("link", { name: "Have one? Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await isAccessible(page);
  await page.getByRole("link", { name: "Create account" }).click();
  // The page to sign in has the same fields.
  await expect(page.getByRole("heading", { name: "Create your O-Mache account" })).toBeVisible();
  await page.getByLabel("User name").fill(unique("juma"));
  await page.getByLabel("Password").fill("sukuma wiki 7");
  await isAccessible(page);
  await page.getByRole("button", { name: "Create account" }).click();

  await page.getByLabel("M-Pesa number").fill(phone.number);
  await isAccessible(page);
  await page.getByRole("button", { name: "Pay KES 1,850 with M-Pesa" }).click();
  await expect(page.getByRole("heading", { name: "Enter your M-Pesa PIN" })).toBeVisible();
  await isAccessible(page);
  await phone.enterPin();
  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
  await isAccessible(page);
  await expect(page.getByRole("link", { name: /^Cart/ })).not.toContainText("1");

  await page.getByRole("link", { name: "View order" }).click();
  await expect(page.getByText("Read this code out only once you have your items")).toBeVisible();
  await expect(page.locator(".code output")).toHaveText(/^\d{3} \d{3}$/);
  await isAccessible(page);
  await expect(page.locator(".steps li:not(.to-come)")).toHaveCount(2);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("banner")).toBeHidden();
  await expect(page.getByRole("button", { name: "Cancel item" })).toBeHidden();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.emulateMedia({ media: null });
  await page.getByRole("link", { name: "All orders" }).click();
  await expect(page.getByText(kettle.name).first()).toBeVisible();
  await isAccessible(page);
});

test("a buyer cancels the prompt, has another sent, and pays", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, phone.number);

  await phone.cancel();
  await expect(page.getByText("You cancelled on your phone.")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: /^Resend prompt to 07/ }).click();
  await expect(page.getByRole("heading", { name: "Enter your M-Pesa PIN" })).toBeVisible();
  await phone.enterPin();

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("a wrong PIN is explained, and the right one pays", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, phone.number);

  await phone.enterPin("9999");
  await expect(page.getByText("The M-Pesa PIN was wrong.")).toBeVisible();
  await page.getByRole("button", { name: /^Resend prompt/ }).click();
  await phone.enterPin();

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("after insufficient funds the buyer pays with another number", async ({ page }) => {
  const [kettle, buyer] = [await goods(), await newUser("buyer")];
  const other = aPhone();
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, aPhone("0001").number);

  await expect(page.getByText("There was not enough money in M-Pesa.")).toBeVisible();
  await page.getByRole("button", { name: "Use another number" }).click();
  await page.getByLabel("M-Pesa number").fill("12");
  await page.getByRole("button", { name: "Send M-Pesa prompt" }).click();
  await expect(page.getByText("Enter a Kenyan mobile number")).toBeVisible();
  await page.getByLabel("M-Pesa number").fill(other.number);
  await page.getByRole("button", { name: "Send M-Pesa prompt" }).click();
  await other.enterPin();

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("an unanswered prompt is explained", async ({ page }) => {
  const [kettle, buyer] = [await goods(), await newUser("buyer")];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, aPhone("1037").number);

  await expect(page.getByText("Your phone did not answer.")).toBeVisible();
});

test("a manual payment of a wrong amount is rejected, and one of the right amount appears by itself", async ({
  page,
  context,
}) => {
  const [kettle, buyer, phone] = [await goods({ price: 900 }), await newUser("buyer"), aPhone()];
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, aPhone("1032").number);

  await expect(page.getByText("You cancelled on your phone.")).toBeVisible();
  await page.getByText("Pay manually instead").click();
  await isAccessible(page);
  await page.getByRole("button", { name: "Copy Account number, M-Pesa" }).click();
  await expect(page.getByRole("button", { name: "Copied: Account number, M-Pesa" })).toBeVisible();
  const account = await page.evaluate(() => navigator.clipboard.readText());
  expect(await phone.payByHand(account, 400)).toMatchObject({ result_code: "C2B00013" });
  expect(await phone.payByHand(account, 900)).toMatchObject({ result_code: "0" });

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("a payment whose callback is lost is found without any action of the buyer", async ({
  page,
}) => {
  const [kettle, buyer] = [await goods(), await newUser("buyer")];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, aPhone("9000").number);

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible({ timeout: 60_000 });
});

test("a cancelled order's products go back into the cart", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, phone.number);

  await page.getByRole("button", { name: "Cancel order" }).click();
  await expect(page.getByText("The items go back on sale right away.")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: "Yes, cancel order" }).click();
  await expect(page.getByRole("heading", { name: "Cancelled" })).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: "Add to cart again" }).click();

  await expect(page.getByRole("link", { name: kettle.name })).toBeVisible();
});

test("money that arrives after an order was cancelled is refunded, and the page says so", async ({
  page,
}) => {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, phone.number);

  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Yes, cancel order" }).click();
  await expect(page.getByRole("heading", { name: "Cancelled" })).toBeVisible();
  await phone.enterPin();

  await expect(page.getByRole("heading", { name: /^(Refund on its way|Refunded)$/ })).toBeVisible({
    timeout: 60_000,
  });
  await isAccessible(page);
});

test("a guest buys without an account, and a code sent to the phone that paid opens the order", async ({
  page,
}) => {
  const [kettle, phone] = [await goods(), aPhone()];
  await page.setViewportSize({ width: 320, height: 640 });
  await putInCart(page, kettle.id);
  await page.goto("/shop/cart");
  await page.getByRole("link", { name: "Checkout" }).click();
  await expect(page.getByText("No account needed")).toBeVisible();
  await isAccessible(page);
  await page.getByLabel("M-Pesa number").fill(phone.number);
  await page.getByRole("button", { name: /^Pay KES/ }).click();
  await expect(page.getByRole("heading", { name: "Enter your M-Pesa PIN" })).toBeVisible();
  await phone.cancel();
  await expect(page.getByText("You cancelled on your phone.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Use another number" })).toBeHidden();

  // Somebody looks for it later, in the same browser.
  await page.goto("/shop/orders");
  await expect(page.getByText("Orders placed without an account")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("link", { name: /^Pay now/ }).click();
  await page.getByRole("button", { name: /^Resend prompt to 07/ }).click();
  await phone.enterPin();
  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
  await isAccessible(page);

  await page.getByRole("button", { name: /^Send a sign-in code to/ }).click();
  await expect(page.getByLabel("SMS code")).toBeFocused();
  await isAccessible(page);
  await page.getByLabel("SMS code").fill(await phone.code());
  await page.keyboard.press("Enter");
  await expect(page.locator(".code output")).toHaveText(/^\d{3} \d{3}$/);
  await page.getByRole("link", { name: "All orders" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Orders" })).toBeVisible();
  await expect(page.getByText(kettle.name)).toBeVisible();
  await expect(page.getByText("Orders placed without an account")).toBeHidden();
  const isTooWide = () => document.documentElement.scrollWidth > innerWidth;
  expect(await page.evaluate(isTooWide)).toBe(false);
});

test("a user registers by phone and code, by keyboard, after a wrong code", async ({
  page,
  mayFail,
}) => {
  const phone = aPhone();
  mayFail.requests = true;
  await page.goto("/shop/orders");
  await page.getByLabel("Phone").fill(phone.number);
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("SMS code")).toBeFocused();
  const code = await phone.code();
  await page.keyboard.type(code === "000000" ? "111111" : "000000");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Wrong code. You have 4 tries left.")).toBeVisible();
  await isAccessible(page);

  // The page is loaded anew while the SMS is read.
  await page.reload();
  await page.getByLabel("SMS code").fill(code);
  await page.keyboard.press("Enter");

  await expect(page.getByText("No orders yet")).toBeVisible();
});
