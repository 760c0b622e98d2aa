/** Finance's day at the admin: money that came for nothing, that is to leave, that did not arrive. */

import { aPhone, expect, goods, moveLineAsStaff, newUser, script, test } from "./helpers";
import {
  adminClient,
  codeOf,
  findAnything,
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

/** Something dear was sold and fetched: its payout waits for a second person. */
async function aDearSale() {
  const [sofa, buyer] = [await goods({ price: 60_000, name: "Sofa" }), await newUser("rich")];
  const { order } = await buyer.buys([sofa.id]);
  await moveLineAsStaff(order[0]?.id ?? 0, "fetched");
  return sofa.seller.username;
}

/** Money that a colleague wrote down, and that M-Pesa does not know. */
async function deniedMoney() {
  const [desk, receipt] = [await adminClient(await hire("finance")), aReceipt()];
  const seen = { number: receipt, amount: "1240", phone: aPhone().number, reference: "" };
  await desk.post("/admin/payments/console/receipt/", { ...seen, why: "Seen on the portal" });
  await desk.leave();
  return receipt;
}

/** A number of M-Pesa's that nobody else uses in this run. */
const aReceipt = () => `T${crypto.randomUUID().replaceAll("-", "").slice(0, 9)}`.toUpperCase();

/** Money that is owed back to a phone that cannot be paid. */
async function stuckRefund() {
  const [kettle, buyer, phone] = [await goods(), await newUser("gone"), aPhone("2040")];
  const from = `254${phone.number.slice(1)}`;
  await script({ operation: "reversal", phone: from, outcome: "R000002" });
  const { order, reference } = await buyer.buys([kettle.id], null, phone);
  await buyer.givesUp(order[0]?.id ?? 0);
  return { reference, receipt: await phone.receipt() };
}

test("finance decides about money", async ({ page }) => {
  test.slow();
  const [finance, approved, kept, denied, stuck] = await Promise.all([
    hire("finance"),
    aDearSale(),
    aDearSale(),
    deniedMoney(),
    stuckRefund(),
  ]);
  /** Open a row of the console, which may be a moment away. */
  const decide = async (row: string, kind = "") => {
    const found = page
      .getByRole("row")
      .filter({ hasText: row })
      .filter({ has: page.locator(`a[href*="/console/${kind}"]`) });
    await open(page, "Needs attention");
    await expect(async () => {
      if (!(await found.first().isVisible())) await page.reload();
      await expect(found.first()).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 30_000 });
    await found
      .first()
      .getByRole("link", { name: /^Decide/ })
      .click();
  };
  const act = async (key: string, why: string) => {
    const form = page.locator(`form#${key}`);
    await form.getByLabel("Why").fill(why);
    await form.getByRole("button").click();
  };

  await test.step("set a second factor up, and sign in with it", async () => {
    await signInToAdmin(page, finance);
    await page.getByRole("link", { name: "Your second factor" }).click();
    await isSound(page);
    const key = (await page.locator("#content code").textContent()) ?? "";
    await page.getByLabel("Code").fill(codeOf(key));
    await page.getByLabel("Your password").fill(finance.password);
    await page.getByRole("button", { name: "Set it up" }).click();
    const [emergency = ""] = await page.locator(".shop-codes li").allInnerTexts();
    await isSound(page);
    await page.getByRole("button", { name: "Log out" }).click();
    await signInToAdmin(page, finance);
    await page.getByLabel("Code").fill(emergency);
    await isSound(page);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Running the shop");
  });

  await job(page, "write off what M-Pesa denies, without a mouse", 3, async () => {
    await decide(`M-Pesa does not know ${denied}`);
    await isSound(page);
    await page.locator("form#never").getByLabel("Why").fill("Not on the statement");
    await pressByKey(page, page.getByRole("button", { name: "The payment never arrived" }));
    await expect(said(page)).toBeVisible();
  });

  await job(page, "let a large payout leave, as the second person", 3, async () => {
    await decide(approved);
    await isSound(page);
    await act("approve", "The sofa is there");
    await expect(said(page)).toContainText("KES 60,000 will be sent to");
  });

  await job(page, "keep a payout back", 3, async () => {
    await decide(kept);
    await expect(page.getByText(`M-Pesa does not know ${denied}`)).toHaveCount(0);
    await act("hold", "Its seller is new");
    await expect(said(page)).toContainText("KES 60,000 is on hold.");
  });

  await job(page, "have M-Pesa queried about money in doubt", 3, async () => {
    await decide(stuck.receipt, "receipt/");
    await act("ask", "The buyer has the message");
    await expect(said(page)).toContainText("M-Pesa will be queried in a moment.");
  });

  await test.step("see that its answer ends the doubt", async () => {
    const doubted = page
      .getByRole("row")
      .filter({ hasText: stuck.receipt })
      .filter({ has: page.locator('a[href*="/console/receipt/"]') });
    await expect(async () => {
      await page.goto("/admin/payments/console/");
      await expect(doubted).toHaveCount(0, { timeout: 500 });
    }).toPass({ timeout: 60_000 });
  });

  await job(page, "try a refused refund again", 3, async () => {
    await decide(stuck.reference, "refund/");
    await isSound(page);
    await act("again", "The phone is on again");
    await expect(said(page)).toContainText("is being refunded by");
  });

  await job(page, "write down a payment that was seen on the portal", 2, async () => {
    await open(page, "Needs attention");
    await isSound(page);
    await isForTheKeyboard(page);
    const receipt = aReceipt();
    await page.getByLabel("M-Pesa receipt number").fill(receipt);
    await page.getByLabel("Amount, KES").fill("700");
    await page.getByLabel("Why").fill("Seen on the portal");
    await page.getByRole("button", { name: "Record the payment" }).click();
    await expect(said(page)).toContainText(`${receipt}`);
    await isSound(page);
  });

  await job(page, "read how the last 30 days went", 2, async () => {
    await open(page, "How the shop is doing");
    await page.getByRole("link", { name: "30 days" }).click();
    await isSound(page);
  });

  await job(page, "take the numbers along as CSV", 1, async () => {
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "CSV of Payouts due" }).click();
    expect((await download).suggestedFilename()).toMatch(/\.csv$/);
  });

  await job(page, "find a payment by its receipt, and what became of its order", 2, async () => {
    await findAnything(page, stuck.receipt, /^Receipt/);
    await isSound(page);
    await page.getByRole("link", { name: `Order ${stuck.reference}` }).click();
    await expect(page.locator("#content")).toContainText(stuck.receipt);
    await isSound(page);
  });

  await job(page, "download a list", 2, async () => {
    await open(page, "Payouts");
    await isSound(page);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download all of this list as CSV" }).click();
    expect((await download).suggestedFilename()).toMatch(/^payout-.*\.csv$/);
  });

  await test.step("look through the books", async () => {
    for (const list of ["Refunds", "Ledger entries", "Gateway messages"]) {
      await open(page, list);
      await isSound(page);
    }
  });
});
