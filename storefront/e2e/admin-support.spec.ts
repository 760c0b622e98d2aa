/** Support's day at the admin: whoever calls, writes or waits is answered. */

import { aPhone, expect, goods, newUser, test } from "./helpers";
import {
  doWith,
  findAnything,
  goToStart,
  hire,
  isForTheKeyboard,
  isSound,
  job,
  open,
  pressByKey,
  said,
  signInToAdmin,
} from "./staff";

test.use({ viewport: { width: 1280, height: 800 }, hasTouch: false });

const HOME = {
  recipient: "Wanjiku Kamau",
  phone: "0712345678",
  county: "kiambu",
  area: "Ruiru, Membley Estate",
  directions: "Blue gate opposite the petrol station",
};

/** A paid order whose buyer says that something is wrong with it. */
async function aProblem() {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  const order = await buyer.buys([kettle.id], HOME, phone);
  const line = order.order[0]?.id ?? 0;
  await buyer.reports(line, "The lid does not close.");
  return { ...order, buyer, phone, receipt: await phone.receipt() };
}

/** An order whose buyer did not enter a PIN. */
async function anUnpaidOrder() {
  const [pot, buyer, phone] = [await goods(), await newUser("late"), aPhone()];
  const order = await buyer.asksFor([pot.id], phone);
  await phone.cancel();
  return { ...order, phone };
}

test("support answers callers", async ({ page }) => {
  test.slow();
  const [support, sold, unpaid] = await Promise.all([hire("support"), aProblem(), anUnpaidOrder()]);

  await test.step("sign in", async () => {
    await signInToAdmin(page, support);
    await isSound(page);
    await isForTheKeyboard(page);
  });

  await job(page, "find an order by its reference", 1, async () => {
    await findAnything(page, sold.reference.toLowerCase(), `Order ${sold.reference}`);
    await isSound(page);
    await isForTheKeyboard(page);
  });

  await job(page, "say where its parcel is", 0, async () => {
    await expect(page.locator("#goods")).toContainText("No agent has it.");
    await expect(page.locator("#summary")).toContainText("Ruiru, Membley Estate");
  });

  await job(page, "answer about a problem with goods", 2, async () => {
    const problems = page.locator("#problems");
    await expect(problems).toContainText("The lid does not close.");
    await problems.locator("summary", { hasText: "Answer" }).click();
    await isSound(page);
    await problems.getByLabel("Answer").fill("We have asked the seller, and call you today.");
    await problems
      .locator("details[open]")
      .getByRole("button", { name: /^Answer/ })
      .click();
    await expect(said(page)).toContainText("Your answer is in the thread.");
    await expect(problems).toContainText("We have asked the seller");
  });

  await job(page, "decide it: give a part of the price back", 2, async () => {
    const problems = page.locator("#problems");
    await problems.locator("summary", { hasText: "Refund a part" }).click();
    const form = problems.locator("details[open]");
    await form.getByLabel("Amount, KES").fill("300");
    await form.getByLabel("Why").fill("A lid costs 300");
    await form.getByRole("button", { name: /^Refund a part/ }).click();
    await expect(said(page)).toContainText("KES 300 of the price is refunded to the buyer.");
  });

  await job(page, "answer who says that they have paid, by M-Pesa’s receipt", 1, async () => {
    await findAnything(page, ` ${sold.receipt.toLowerCase()} `, `Order ${sold.reference}`);
    await expect(page.locator("#summary")).toContainText("ReceivedKES 1,800");
  });

  await job(page, "cancel a line for its buyer", 3, async () => {
    await page.getByRole("button", { name: /^Cancel and refund/ }).click();
    await isSound(page);
    await page.getByLabel("The goods can be sold again").selectOption("yes");
    await page.getByLabel("Why").fill("They bought another one");
    await page.locator("input[type=submit].default").click();
    await expect(said(page)).toContainText("1 of 1 done");
    await expect(page.locator("#summary")).toContainText("all its goods were cancelled.");
  });

  await job(page, "ring the phone of an unpaid order again", 3, async () => {
    await findAnything(page, unpaid.reference, `Order ${unpaid.reference}`);
    await doWith(page, "Send the buyer another prompt", "They had no signal");
    await expect(said(page)).toContainText("1 of 1 done");
    await unpaid.phone.cancel();
  });

  await job(page, "cancel an unpaid order, without a mouse", 2, async () => {
    await pressByKey(page, page.getByRole("button", { name: "Cancel and release the goods" }));
    await page.getByLabel("Why").fill("They have changed their mind");
    await page.getByLabel("Why").press("Enter");
    await expect(page.locator("#summary")).toContainText("The shop cancelled it.");
  });

  await job(page, "look up who calls, by their phone", 2, async () => {
    await findAnything(page, sold.phone.number, "Find");
    await isSound(page);
    await expect(page.getByRole("region", { name: "Orders" })).toContainText(sold.reference);
    const people = page.getByRole("region", { name: "People" });
    await people.getByRole("link", { name: sold.buyer.username }).click();
    await isSound(page);
    await expect(page.locator("#orders")).toContainText(sold.reference);
  });

  await job(page, "let somebody try their password again", 2, async () => {
    await doWith(page, "Let them try their password again", "It is they, by voice");
    await expect(said(page)).toContainText("1 of 1 done");
  });

  await test.step("be told that there is nothing, and what can be typed", async () => {
    await findAnything(page, "NOSUCHREFERENCE", "Find");
    await expect(page.getByRole("status")).toContainText("NOSUCHREFERENCE");
    await isSound(page);
    await isForTheKeyboard(page);
  });

  await test.step("see what else waits", async () => {
    await open(page, "Needs attention");
    await isSound(page);
    await open(page, "Parcels");
    await isSound(page);
    await open(page, "Messages to people");
    await isSound(page);
    await goToStart(page);
  });
});
