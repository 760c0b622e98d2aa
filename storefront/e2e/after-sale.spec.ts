/** After the sale: delivery, reviews, cancellations and problems. */

import {
  acceptProblem,
  aPhone,
  aPicture,
  arriveAtPoint,
  expect,
  goods,
  isAccessible,
  moveLineAsStaff,
  newUser,
  putInCart,
  signIn,
  signInAsDemoUser,
  test,
} from "./helpers";

test("an agent claims a parcel, fetches it, loses the connection, and hands it over by the code", async ({
  page,
  context,
  mayFail,
}) => {
  // The line breaks off, and a wrong code is refused.
  mayFail.requests = true;
  const [kettle, buyer] = [await goods({ price: 1850 }), await newUser("buyer")];
  const order = await buyer.buys([kettle.id], {
    recipient: "Wanjiku Kamau",
    phone: "0712345678",
    county: "kiambu",
    area: "Ruiru, Membley Estate",
    directions: "Blue gate opposite the petrol station",
  });
  const [line] = (await buyer.order(order.order_token)).order;
  const code: string = line.collection_code;
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, await signInAsDemoUser("delivery"));
  const parcel = page.locator("li.parcel", { hasText: order.reference });
  const part = (name: string) => page.getByRole("button", { name: new RegExp(`${name}$`) });

  await page.goto("/shop/delivering?part=take");
  await parcel.getByRole("button", { name: /^Take this parcel/ }).click();
  await expect(page.getByText("It is yours. Collect it from the seller.")).toBeVisible();
  await isAccessible(page);
  await part("To collect").click();
  await expect(parcel.getByText(/^The seller has not given an address/)).toBeVisible();
  await parcel.getByRole("button", { name: /^I have collected it/ }).click();
  await isAccessible(page);
  await parcel.getByRole("button", { name: /^Yes, I have everything/ }).click();
  await expect(page.getByText("Collected. You have it now.")).toBeVisible();

  await part("With me").click();
  await expect(parcel.getByText("Blue gate opposite the petrol station")).toBeVisible();
  await expect(parcel.getByRole("link", { name: /^Call 0712\s345\s678/ })).toBeVisible();
  await context.setOffline(true);
  await parcel.getByRole("button", { name: /^Start delivery/ }).click();
  await expect(parcel.getByText("Not sent: no connection.")).toBeVisible();
  await isAccessible(page);
  await context.setOffline(false);
  await parcel.getByRole("button", { name: "Send again" }).click();
  await expect(page.getByText("On the way. We have notified the buyer.")).toBeVisible();

  await parcel.getByRole("button", { name: /^Hand over/ }).click();
  const wrong = code === "111111" ? "222222" : "111111";
  for (const digit of wrong) await page.getByRole("button", { name: digit, exact: true }).click();
  await page.getByRole("button", { name: "Hand over", exact: true }).click();
  await expect(
    page.getByText("This is not the buyer's code. Check it and try again."),
  ).toBeVisible();
  await isAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  // By keyboard as well.
  await page.getByLabel(/^The 6-digit code Wanjiku Kamau/).pressSequentially(code);
  await page.keyboard.press("Enter");
  await expect(page.getByText("Handed over. Well done.")).toBeVisible();
  await part("Done").click();
  await expect(parcel.getByText("Handed over", { exact: true })).toBeVisible();
  await isAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  expect((await buyer.order(order.order_token)).order[0].track_status).toBe("delivered");
});

test("a line is delivered, confirmed and reviewed; another is cancelled and refunded", async ({
  page,
}) => {
  const [kettle, pot] = [await goods(), await goods({ price: 700 })];
  const [buyer, phone] = [await newUser("buyer"), aPhone()];
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await putInCart(page, pot.id);
  await page.goto("/shop/checkout");
  await page.getByLabel("M-Pesa number").fill(phone.number);
  await page.getByRole("button", { name: /^Pay KES/ }).click();
  await page.waitForURL(/\/shop\/pay\//);
  await phone.enterPin();
  await page.getByRole("link", { name: "View order" }).click();
  const lines = await buyer.orders();
  const kettleLine = page.locator("article", { hasText: kettle.name });
  const potLine = page.locator("article", { hasText: pot.name });

  await potLine.getByRole("button", { name: "Cancel item" }).click();
  await expect(potLine.getByText("KES 700 is refunded to the phone that paid")).toBeVisible();
  await isAccessible(page);
  await potLine.getByRole("button", { name: "Yes, cancel it" }).click();
  await expect(potLine.getByText("Cancelled", { exact: false }).first()).toBeVisible();

  const kettleId = Math.min(...lines.map((line) => line.id));
  await moveLineAsStaff(kettleId, "fetched");
  await page.reload();
  await kettleLine.getByRole("button", { name: "I received it" }).click();
  await kettleLine.getByRole("button", { name: "Yes, I received it" }).click();
  await kettleLine.getByRole("button", { name: "Write a review" }).click();
  await kettleLine.getByLabel("4 of 5 stars").check({ force: true });
  await kettleLine.getByLabel("Your review").fill("It boils fast.");
  await isAccessible(page);
  await kettleLine.getByRole("button", { name: "Submit review" }).click();
  await expect(kettleLine.getByText("It boils fast.")).toBeVisible();
  await page.goto(`/shop/product/${kettle.id}`);
  await page.getByRole("heading", { name: "Customer reviews" }).scrollIntoViewIfNeeded();
  await expect(page.getByText("It boils fast.")).toBeVisible();
  await isAccessible(page);
});

test("a buyer reports a problem with a picture, and is notified of the partial refund the seller decides on", async ({
  page,
}) => {
  const [kettle, buyer] = [await goods({ price: 1850 }), await newUser("buyer")];
  const order = await buyer.buys([kettle.id]);
  const [line] = (await buyer.order(order.order_token)).order;
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, buyer);

  await page.goto(`/shop/orders/${order.order_token}`);
  await page.getByRole("link", { name: /^Report a problem/ }).click();
  await isAccessible(page);
  await page.getByLabel("Damaged").check();
  await page.getByLabel("What happened?").fill("The lid is cracked.");
  await page
    .locator("input[type=file]")
    .setInputFiles({ name: "lid.png", mimeType: "image/png", buffer: aPicture() });
  await expect(page.getByRole("img", { name: "Picture 1" })).toBeVisible();
  await isAccessible(page);
  await page.getByRole("button", { name: "Report problem" }).click();
  await expect(page.getByText("The lid is cracked.")).toBeVisible();
  await expect(page.getByRole("img", { name: "Picture" })).toBeVisible();
  await page.getByLabel("Your reply").fill("It leaks, too.");
  await page.getByRole("button", { name: "Send reply" }).click();
  await expect(page.getByRole("list").getByText("It leaks, too.")).toBeVisible();
  await isAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);

  await acceptProblem(line.id, 300, kettle.seller);
  await page.goto("/shop/notices");
  await expect(page.getByText("New").first()).toBeVisible();
  await isAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  await page
    .locator("li.notice-row", { has: page.locator(`a[href$="/problem/${line.id}"]`) })
    .first()
    .click();
  await expect(page.getByText("Part of the price is refunded: KES 300")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("link", { name: "Back to the order" }).click();
  await expect(page.getByText("The problem you reported:")).toBeVisible();
});

test("a pick-up point's page fits 320 pixels in Swahili, with a reference on one line", async ({
  page,
  context,
}) => {
  const [kettle, buyer] = [await goods(), await newUser("buyer")];
  const order = await buyer.buys([kettle.id], { pickup_point: await kilimani() });
  await arriveAtPoint(order.reference);
  await context.addCookies([
    { name: "language", value: "sw", url: process.env.STORY_SHOP ?? "", sameSite: "Lax" },
  ]);
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, await signInAsDemoUser("faith"));

  await page.goto("/shop/delivering?part=point");
  const reference = page.getByRole("heading", { name: order.reference });
  await expect(reference).toBeVisible();
  expect((await reference.boundingBox())?.height).toBeLessThan(40);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  await isAccessible(page);
});

/** The pick-up point of the demo shop at which `faith` works. */
async function kilimani(): Promise<number> {
  const answer = await fetch(`${process.env.STORY_SHOP}/pickup-points/?county=nairobi`);
  const points: { id: number; name: string }[] = await answer.json();
  return points.find(({ name }) => name === "Kilimani Pick-up")?.id ?? 0;
}
