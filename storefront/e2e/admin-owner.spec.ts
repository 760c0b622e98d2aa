/** The owner's day at the admin: who works here, what they may, what they did. */

import { expect, goods, moveLineAsStaff, newUser, signInAsDemoUser, test, unique } from "./helpers";
import {
  decideOn,
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

test("the owner manages the staff", async ({ page }) => {
  test.slow();
  // Not the demo's superuser: who gave support their account is no second person with them.
  const owner = await hire("support", { is_superuser: "on" });
  const [sofa, buyer] = [await goods({ price: 30_000 }), await newUser("buyer")];
  const { order, reference } = await buyer.buys([sofa.id]);
  const line = order[0]?.id ?? 0;
  await moveLineAsStaff(line, "fetched");
  // More than one of support gives back alone.
  const { access } = await signInAsDemoUser("support");
  const proposed = await fetch(`${process.env.STORY_SHOP}/track/${line}/move/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${access}` },
    body: JSON.stringify({ to: "cancelled", note: reference, goods_there: false }),
  });
  expect(proposed.status).toBe(409);
  const clerk = unique("juma");

  await test.step("sign in", async () => {
    await signInToAdmin(page, owner);
    await isSound(page);
    await isForTheKeyboard(page);
  });

  await job(page, "see how the shop is doing", 1, async () => {
    await open(page, "How the shop is doing");
    await isSound(page);
  });

  await job(page, "agree to what support proposed", 2, async () => {
    await open(page, "Approvals");
    await isSound(page);
    const card = page.getByRole("article").filter({ hasText: reference });
    await decideOn(card, "Approve", "Seen the sofa");
    await expect(said(page)).toContainText("1 of 1 done");
    await expect(card).toHaveCount(0);
  });

  await job(page, "give somebody an account and a role", 3, async () => {
    await page.locator("#nav-sidebar .model-user").getByRole("link", { name: "Add" }).click();
    await page.getByLabel("Username").fill(clerk);
    await page.getByRole("textbox", { name: "Password:" }).fill("maharagwe na wali 4");
    await page.getByLabel("Password confirmation").fill("maharagwe na wali 4");
    await page.getByRole("checkbox", { name: "catalogue: manages" }).check();
    await isSound(page);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(said(page)).toContainText("was added successfully");
    await expect(page.locator("#details")).toContainText("Staff");
  });

  await job(page, "give them another role", 3, async () => {
    await page.getByText("Password and permissions").click();
    await page.getByRole("checkbox", { name: "delivery: delivers" }).check();
    await isSound(page);
    await page.getByRole("button", { name: "Save and continue editing" }).click();
    await expect(said(page)).toContainText("was changed successfully");
  });

  await job(page, "sign somebody out everywhere, without a mouse", 2, async () => {
    await pressByKey(page, page.getByRole("button", { name: "Sign them out everywhere" }));
    await page.getByLabel("Why").fill("They left");
    await page.getByLabel("Why").press("Enter");
    await expect(said(page)).toContainText("1 of 1 done");
  });

  await job(page, "close their account", 2, async () => {
    await page.getByRole("button", { name: "Close their account" }).click();
    await isSound(page);
    await page.getByLabel("Why").fill("They left");
    await page.getByLabel("Why").press("Enter");
    await expect(page.locator("#details")).toContainText("Closed");
  });

  await job(page, "look somebody up, and what staff did about them", 2, async () => {
    await findAnything(page, clerk, `Person ${clerk}`);
    await expect(page.locator("#details")).toContainText("Closed");
    await isSound(page);
    await expect(page.locator("#staff")).toContainText("Close the accounts of these people");
    await page.locator("#staff").getByRole("link").first().click();
    await isSound(page);
  });

  await job(page, "read what staff did", 1, async () => {
    await open(page, "Audit log");
    await isSound(page);
  });

  await job(page, "see who is locked out", 1, async () => {
    await open(page, "Failed log-ins and locks");
    await isSound(page);
  });

  await job(page, "see what a role may do", 2, async () => {
    await open(page, "Roles");
    await isSound(page);
    await page.locator("#result_list").getByRole("link", { name: "support" }).click();
    await expect(page.locator("#may")).toContainText("Send a message again.");
    await isSound(page);
  });

  await test.step("look at stops and the books, and leave", async () => {
    for (const list of ["Payout stops", "Postings"]) {
      await open(page, list);
      await isSound(page);
    }
    await page.getByRole("link", { name: "Change password" }).click();
    await isSound(page);
    await page.getByRole("button", { name: "Log out" }).click();
    await isSound(page);
  });
});
