import { expect, goods, isForEveryone, newcomer, signIn, staffMoves, test } from "./story";

test("a seller is led to an order, hands it over by the buyer's code, and sees the money", async ({
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
  const buyer = await newcomer("buyer");
  const order = await buyer.buys([kettle.id, pot.id]);
  const { order: lines } = await buyer.order(order.order_token);
  const kettleLine = lines.find((line: { product: number }) => line.product === kettle.id);
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, kettle.seller);

  await page.goto("/shop/account");
  await expect(page.getByText("2 to hand over")).toBeVisible();
  await isForEveryone(page);
  await page.goto(`/shop/selling/orders?order=${order.reference}`);
  const kettleRow = page.locator("li.sale", { hasText: `1 × ${kettle.name}`, hasNotText: "lid" });
  const potRow = page.locator("li.sale", { hasText: pot.name });
  await expect(page.locator("li.sale.marked")).toHaveCount(2);
  await expect(page.locator("li.sale.marked").first()).toBeInViewport();
  await isForEveryone(page);

  await potRow.getByRole("button", { name: /^I cannot deliver this/ }).click();
  await isForEveryone(page);
  await potRow.getByLabel("Why? The buyer reads it.").fill("It has a crack.");
  await potRow.getByLabel("The goods are there to be sold again").check();
  await potRow.getByRole("button", { name: "Cancel the sale" }).click();
  await expect(page.getByText(/^Cancelled: .* KES.700 goes back to the buyer\.$/)).toBeVisible();
  await expect(potRow).toHaveCount(0);

  await staffMoves(kettleLine.id, "fetched");
  await page.reload();
  const code: string = (await buyer.order(order.order_token)).order.find(
    (line: { id: number }) => line.id === kettleLine.id,
  ).collection_code;
  const wrong = code === "111111" ? "222222" : "111111";
  await kettleRow.getByLabel("The buyer's code").fill(wrong);
  await kettleRow.getByRole("button", { name: "Hand over" }).click();
  await expect(kettleRow.getByText(/^This is not the code the buyer was given/)).toBeVisible();
  await isForEveryone(page);
  await kettleRow.getByLabel("The buyer's code").fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await kettleRow.getByRole("button", { name: "Hand over" }).click();
  await expect(page.getByText(/^Handed over:/)).toBeVisible();
  await expect(page.getByText("There is nothing to hand over")).toBeVisible();
  await isForEveryone(page);
  await page.getByRole("link", { name: "Delivered" }).click();
  await expect(kettleRow.getByText("Delivered", { exact: true })).toBeVisible();

  await buyer.reports(kettleLine.id, "The handle is loose.");
  await page.goto("/shop/selling/money");
  await expect(page.getByText("The shop owes you")).toBeVisible();
  await expect(page.getByText(/^Sale/)).toBeVisible();
  await isForEveryone(page);
  await page.goto("/shop/selling/problems");
  await page.getByText("Read and answer").click();
  await expect(page.getByText("The handle is loose.")).toBeVisible();
  const picture = page.getByRole("img", { name: "A picture of it" });
  await expect
    .poll(() => picture.evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height]))
    .toEqual([2, 2]);
  await page.getByLabel("Your answer").fill("I am sorry.");
  await page.getByRole("button", { name: "Send the answer" }).click();
  await expect(page.getByText("I am sorry.")).toBeVisible();
  await page.getByRole("button", { name: /^Give a part of it back/ }).click();
  await isForEveryone(page);
  await page.getByLabel("How much goes back (KES)").fill("300");
  await page.getByRole("button", { name: "Yes, I agree to that" }).click();
  await expect(page.getByText(/^A part of the price goes back: KES.300$/)).toBeVisible();
  await isForEveryone(page);
  for (const path of ["orders", "orders?status=delivered", "money", "problems"]) {
    await page.goto(`/shop/selling/${path}`);
    await page.waitForLoadState("networkidle");
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBe(320);
    await isForEveryone(page);
  }
});
