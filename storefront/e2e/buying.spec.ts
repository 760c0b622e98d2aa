import {
  aPhone,
  cashOut,
  expect,
  goods,
  isForEveryone,
  newcomer,
  putInCart,
  signIn,
  test,
  unique,
} from "./story";

test("a newcomer finds something by search, joins at the till, and pays with the PIN", async ({
  page,
}) => {
  const word = unique("birika");
  const kettle = await goods({ name: `Kettle ${word}`, price: 1850 });
  const phone = aPhone();

  await page.goto("/shop/");
  await isForEveryone(page);
  await page.getByRole("combobox", { name: "Search" }).fill(word);
  await expect(page.getByRole("option", { name: kettle.name })).toBeVisible();
  await isForEveryone(page);
  await page.getByRole("option", { name: kettle.name }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(kettle.name);
  await isForEveryone(page);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.getByRole("link", { name: "See your cart" }).click();
  await expect(page.getByText("Together")).toBeVisible();
  await isForEveryone(page);
  await page.getByRole("link", { name: "Cash out" }).click();

  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await isForEveryone(page);
  await page.getByRole("link", { name: "Join" }).click();
  await page.getByLabel("User name").fill(unique("juma"));
  await page.getByLabel("Password").fill("sukuma wiki 7");
  await isForEveryone(page);
  await page.getByRole("button", { name: "Join" }).click();

  await page.getByLabel("M-Pesa number that pays").fill(phone.number);
  await isForEveryone(page);
  await page.getByRole("button", { name: "Pay KES 1,850 by M-Pesa" }).click();
  await expect(page.getByRole("heading", { name: "Your phone is asking" })).toBeVisible();
  await isForEveryone(page);
  await phone.enterPin();
  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
  await isForEveryone(page);
  await expect(page.getByRole("link", { name: /^Cart/ })).not.toContainText("1");

  await page.getByRole("link", { name: "See your order" }).click();
  await expect(page.getByText("Read this out when you have your goods in hand")).toBeVisible();
  await expect(page.locator(".code output")).toHaveText(/^\d{3} \d{3}$/);
  await isForEveryone(page);
  await page.getByText("Its whole way").click();
  await expect(page.locator(".steps li")).toHaveCount(2);
  await page.getByRole("link", { name: "All orders" }).click();
  await expect(page.getByText(kettle.name).first()).toBeVisible();
  await isForEveryone(page);
});

test("somebody cancels on the phone, has it rung again, and pays", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods(), await newcomer("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, phone.number);

  await phone.cancel();
  await expect(page.getByText("You cancelled on your phone.")).toBeVisible();
  await isForEveryone(page);
  await page.getByRole("button", { name: /^Ring 07.* again$/ }).click();
  await expect(page.getByRole("heading", { name: "Your phone is asking" })).toBeVisible();
  await phone.enterPin();

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("a wrong PIN is told in plain words, and the right one pays", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods(), await newcomer("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, phone.number);

  await phone.enterPin("9999");
  await expect(page.getByText("The M-Pesa PIN was wrong.")).toBeVisible();
  await page.getByRole("button", { name: /again$/ }).click();
  await phone.enterPin();

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("a phone without money gives way to another number", async ({ page }) => {
  const [kettle, buyer] = [await goods(), await newcomer("buyer")];
  const other = aPhone();
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, aPhone("0001").number);

  await expect(page.getByText("There was not enough money in M-Pesa.")).toBeVisible();
  await page.getByRole("button", { name: "Ring another number" }).click();
  await page.getByLabel("Another M-Pesa number").fill("12");
  await page.getByRole("button", { name: "Ring this number" }).click();
  await expect(page.getByText("Give a Kenyan mobile number")).toBeVisible();
  await page.getByLabel("Another M-Pesa number").fill(other.number);
  await page.getByRole("button", { name: "Ring this number" }).click();
  await other.enterPin();

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("a phone that is off is told so", async ({ page }) => {
  const [kettle, buyer] = [await goods(), await newcomer("buyer")];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, aPhone("1037").number);

  await expect(page.getByText("Your phone did not answer.")).toBeVisible();
});

test("by hand another amount is turned down, and the right one is seen as it comes", async ({
  page,
  context,
}) => {
  const [kettle, buyer, phone] = [await goods({ price: 900 }), await newcomer("buyer"), aPhone()];
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, aPhone("1032").number);

  await expect(page.getByText("You cancelled on your phone.")).toBeVisible();
  await page.getByText("Pay by hand instead").click();
  await isForEveryone(page);
  await page.getByRole("button", { name: "Copy Account number, M-Pesa" }).click();
  await expect(page.getByRole("button", { name: "Copied: Account number, M-Pesa" })).toBeVisible();
  const account = await page.evaluate(() => navigator.clipboard.readText());
  expect(await phone.payByHand(account, 400)).toMatchObject({ result_code: "C2B00013" });
  expect(await phone.payByHand(account, 900)).toMatchObject({ result_code: "0" });

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("a callback that never comes is healed without a word from the buyer", async ({ page }) => {
  const [kettle, buyer] = [await goods(), await newcomer("buyer")];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, aPhone("9000").number);

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible({ timeout: 45_000 });
});

test("an order is given up, and its goods go back into the cart", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods(), await newcomer("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await cashOut(page, phone.number);

  await page.getByRole("button", { name: "Give this order up" }).click();
  await expect(page.getByText("The goods are free for others at once.")).toBeVisible();
  await isForEveryone(page);
  await page.getByRole("button", { name: "Yes, give it up" }).click();
  await expect(page.getByRole("heading", { name: "Given up" })).toBeVisible();
  await isForEveryone(page);
  await page.getByRole("button", { name: "Put it back into the cart" }).click();

  await expect(page.getByRole("link", { name: kettle.name })).toBeVisible();
});
