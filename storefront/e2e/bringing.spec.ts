/** After the sale: what brings goods, what was wrong with them, and leaving. */

import {
  agreesTo,
  aPicture,
  expect,
  goods,
  isAccessible,
  newcomer,
  ofTheDemo,
  reachesItsPoint,
  signIn,
  test,
} from "./story";

test("an agent takes a parcel on, fetches it, loses the line, and hands it over by the code", async ({
  page,
  context,
  mayFail,
}) => {
  // The line breaks off, and a wrong code is refused.
  mayFail.requests = true;
  const [kettle, buyer] = [await goods({ price: 1850 }), await newcomer("buyer")];
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
  await signIn(page, await ofTheDemo("delivery"));
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

test("a buyer reports a problem with a picture, is answered with a part of the price, and is told so", async ({
  page,
}) => {
  const [kettle, buyer] = [await goods({ price: 1850 }), await newcomer("buyer")];
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

  await agreesTo(line.id, 300, kettle.seller);
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

test("somebody takes their data along and leaves", async ({ page, mayFail }) => {
  // A wrong password is refused.
  mayFail.requests = true;
  const person = await newcomer("leaver");
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

test("a pick-up point's page fits 320 pixels in Swahili, with a reference on one line", async ({
  page,
  context,
}) => {
  const [kettle, buyer] = [await goods(), await newcomer("buyer")];
  const order = await buyer.buys([kettle.id], { pickup_point: await kilimani() });
  await reachesItsPoint(order.reference);
  await context.addCookies([
    { name: "language", value: "sw", url: process.env.STORY_SHOP ?? "", sameSite: "Lax" },
  ]);
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, await ofTheDemo("faith"));

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
