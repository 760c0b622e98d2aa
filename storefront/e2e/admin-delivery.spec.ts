/** An agent's day at the admin, on a phone: parcels, pick-up points, rates. */

import {
  comeIn,
  findAnything,
  hire,
  isForTheKeyboard,
  isSound,
  job,
  open,
  pressByKey,
  said,
} from "./staff";
import { expect, goods, newcomer, test, unique } from "./story";

const HOME = {
  recipient: "Wanjiku Kamau",
  phone: "0712345678",
  county: "kiambu",
  area: "Ruiru, Membley Estate",
  directions: "Blue gate opposite the petrol station",
};

test("an agent brings parcels, and keeps points and rates", async ({ page, mayFail }) => {
  test.slow();
  const [agent, kettle] = [await hire("delivery"), await goods()];
  const buyer = await newcomer("buyer");
  const order = await buyer.buys([kettle.id], HOME);
  const other = await buyer.buys([kettle.id], HOME);
  const [line] = (await buyer.order(order.order_token)).order;
  const code: string = line.collection_code;
  const parcel = page.getByRole("article").filter({ hasText: order.reference });
  const part = (name: string) => page.getByRole("navigation", { name: "Parts" }).getByText(name);

  await test.step("sign in", async () => {
    await comeIn(page, agent);
    await isSound(page);
  });

  await job(page, "see what is to fetch in a county", 3, async () => {
    await open(page, "Parcels");
    await page.getByLabel("County").selectOption("kiambu");
    await page.getByRole("button", { name: "Show" }).click();
    await isSound(page);
    await isForTheKeyboard(page);
  });

  await job(page, "take a parcel on", 1, async () => {
    await parcel.getByRole("button", { name: /^Claim/ }).click();
    await expect(said(page)).toContainText("Claim.");
  });

  await job(page, "take another on, and free it for others", 3, async () => {
    const second = page.getByRole("article").filter({ hasText: other.reference });
    await second.getByRole("button", { name: /^Claim/ }).click();
    await second.locator("summary", { hasText: "Release" }).click();
    await isSound(page);
    await second.getByLabel("Note").fill("Too far for me");
    await second.getByRole("button", { name: /^Confirm/ }).click();
    await expect(said(page)).toContainText("Release.");
  });

  await job(page, "fetch it, without a mouse", 1, async () => {
    await pressByKey(page, parcel.getByRole("button", { name: /^Fetched from the seller/ }));
    await expect(said(page)).toContainText("Fetched from the seller.");
  });

  await job(page, "set off with it, without a mouse", 2, async () => {
    await part("To hand over").click();
    await pressByKey(page, parcel.getByRole("button", { name: /^On the way/ }), "Space");
    await expect(said(page)).toContainText("On the way.");
  });

  await test.step("make a slip, which is said where it was made", async () => {
    await parcel.locator("summary", { hasText: "Record a failed attempt" }).click();
    mayFail.requests = true;
    await parcel
      .locator("details[open]")
      .getByRole("button", { name: /^Confirm/ })
      .click();
    await expect(parcel.getByText("This field is required.")).toBeVisible();
    await isSound(page);
    await open(page, "Parcels");
    await part("To hand over").click();
    mayFail.requests = false;
  });

  await job(page, "find nobody there", 3, async () => {
    await parcel.locator("summary", { hasText: "Record a failed attempt" }).click();
    await parcel.getByLabel("What happened").selectOption("nobody_there");
    await parcel
      .locator("details[open]")
      .getByRole("button", { name: /^Confirm/ })
      .click();
    await expect(said(page)).toContainText("Record a failed attempt.");
  });

  const handOver = async (typed: string) => {
    await parcel.locator("summary", { hasText: "Handed to the buyer" }).click();
    await parcel.getByLabel("Collection code").fill(typed);
    await parcel.getByLabel("Collection code").press("Enter");
  };

  await test.step("be refused a guess of the buyer's code", async () => {
    await handOver(code === "111111" ? "222222" : "111111");
    await expect(said(page)).toContainText("This is not the buyer's code. Check it and try again.");
  });

  await job(page, "hand it over by the buyer's code, and see that it is done", 3, async () => {
    await handOver(code);
    await expect(said(page)).toContainText("Handed to the buyer.");
    await part("Handed over").click();
    await expect(parcel).toBeVisible();
    await isSound(page);
  });

  await job(page, "find a line by its order, and see how it stands", 1, async () => {
    await findAnything(page, other.reference, /^Order line/);
    await expect(page.locator("#content")).toContainText("Paid");
    await isSound(page);
    await isForTheKeyboard(page);
  });

  await job(page, "open a pick-up point", 5, async () => {
    await open(page, "Pick-up points");
    await isSound(page);
    await page.getByRole("link", { name: "Add pick-up point" }).click();
    await isSound(page);
    await page.getByLabel("Name").fill(unique("Duka "));
    await page.getByLabel("County").selectOption("nakuru");
    await page.getByLabel("Area").fill("Nakuru, Kenyatta Avenue");
    await page.getByLabel("Phone").fill("0712 000 333");
    await page.getByLabel("Opening hours").fill("Mon–Sat 8–18");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(said(page)).toContainText("was added successfully");
  });

  await job(page, "see what bringing costs", 2, async () => {
    await open(page, "Delivery rates");
    await expect(page.locator("#result_list")).toContainText(/To an address.*KES \d+/s);
    await isSound(page);
  });

  await test.step("look at a rate", async () => {
    await page.locator("#result_list tbody th a").first().click();
    await isSound(page);
  });
});
