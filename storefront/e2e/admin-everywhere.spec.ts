/** Every page of the admin, one of each kind, as each role sees its own: nobody is kept out of any. */

import type { Page } from "@playwright/test";
import {
  aPhone,
  expect,
  goods,
  moveLineAsStaff,
  newUser,
  signInAsDemoUser,
  test,
  unique,
} from "./helpers";
import { adminClient, hire, isSound, isSoundInTheDark, OWNER, signInToAdmin } from "./staff";

test.use({ viewport: { width: 1280, height: 800 }, hasTouch: false });

/** No pages: files, pictures, and what does something when it is opened. */
const NOT_HERE = /\/(logout|csv|picture)\/|^\/admin\/jsi18n\//;
/** List actions that ask for nothing first: they answer with a file, or are done at once. */
const AT_ONCE = ["", "download", "show"];

/** Who looks, and how many kinds of page each finds at least: one that nothing leads to goes unseen. */
const KINDS = { owner: 62, support: 18, finance: 30, catalogue: 14, delivery: 11 };

/** A sale in every table: bought, told of, handed over, reviewed, gone wrong, and to be decided. */
async function trade(): Promise<void> {
  const [pot, kettle, sofa, buyer, phone] = [
    await goods(),
    // Names without gaps, as long as they may be: no page is wider for them.
    await goods({ name: unique("Sufuria").padEnd(100, "oo") }),
    await goods({ price: 30_000 }),
    await newUser("MwanafunziWaChuoKikuu".repeat(6)),
    aPhone(),
  ];
  const order = await buyer.buys([pot.id, kettle.id], undefined, phone);
  const [line, other] = (await buyer.order(order.order_token)).order;
  await moveLineAsStaff(line.id, "fetched");
  await moveLineAsStaff(line.id, "delivered", { code: line.collection_code });
  await buyer.reviews(line.id, 2, "Smaller than I thought.");
  await buyer.reports(other.id, "It never came.");
  const dear = (await buyer.buys([sofa.id])).order[0]?.id ?? 0;
  await moveLineAsStaff(dear, "fetched");
  // More than one of support gives back alone.
  const { access } = await signInAsDemoUser("support");
  const proposed = await fetch(`${process.env.STORY_SHOP}/track/${dear}/move/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${access}` },
    body: JSON.stringify({ to: "cancelled", note: "It is torn", goods_there: false }),
  });
  expect(proposed.status).toBe(409);
}
let traded: Promise<void> | undefined;

const linksOn = (page: Page) =>
  page
    .locator("a[href^='/admin/']")
    .evaluateAll((all) => all.map((each) => each.getAttribute("href") ?? ""));

/** Look at the page as it stands, with everything that is folded open. */
async function lookAt(page: Page, role: string): Promise<void> {
  await page.locator("main details").evaluateAll((all) => {
    for (const each of all) each.setAttribute("open", "");
  });
  await isSound(page, role);
}

/** Press each button that asks for a reason first, look at what it asks, and leave it at that. */
async function lookAtWhatButtonsAsk(page: Page, role: string, asked: Set<string>): Promise<void> {
  const way = page.url();
  const of = new URL(way).pathname.replace(/\d+/g, "#");
  const buttons = await page
    .locator("main form.shop-actions:has(input[name=from_page]) button[name=action]")
    .evaluateAll((all) => all.map((each) => each.getAttribute("value") ?? ""));
  const chosen = await page
    .locator("main select[name=action] option")
    .evaluateAll((all) => all.map((each) => each.getAttribute("value") ?? ""));
  const rows = await page.locator("main input.action-select").count();
  const all = [
    ...buttons.map((name) => ({ name, isButton: true })),
    ...(rows > 0 ? chosen : []).map((name) => ({ name, isButton: false })),
  ];
  for (const { name, isButton } of all) {
    if (AT_ONCE.includes(name) || asked.has(`${of} ${name}`)) continue;
    asked.add(`${of} ${name}`);
    if (isButton) {
      await page.locator(`main button[name=action][value="${name}"]`).first().click();
    } else {
      await page.locator("main input.action-select").first().check();
      await page.locator("main select[name=action]").first().selectOption(name);
      await page.getByRole("button", { name: "Go", exact: true }).first().click();
    }
    await page.waitForLoadState();
    await isSound(page, `${role} ${name}`);
    await page.goto(way);
  }
}

for (const [role, kinds] of Object.entries(KINDS)) {
  test(`${role} opens every page there is for them, and is refused all others`, async ({
    page,
    mayFail,
  }) => {
    test.slow();
    traded ??= trade();
    const is = role === "owner" ? { is_superuser: "on" } : undefined;
    const [person] = await Promise.all([hire(is ? "finance" : role, is), traded]);
    await signInToAdmin(page, person);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Running the shop");

    const seen = new Set<string>();
    const asked = new Set<string>();
    const ways = ["/admin/", "/admin/find/?q=w"];
    for (let way = ways.shift(); way; way = ways.shift()) {
      const kind = way.replace(/\?.*/, "").replace(/\d+/g, "#");
      if (seen.has(kind) || NOT_HERE.test(kind)) continue;
      seen.add(kind);
      const answer = await page.goto(way);
      expect({ way, status: answer?.status() }).toEqual({ way, status: 200 });
      ways.push(...(await linksOn(page)).map((each) => each.replace(/#.*/, "")));
      await lookAt(page, role);
      if (role === "owner") await isSoundInTheDark(page);
      await lookAtWhatButtonsAsk(page, role, asked);
    }
    test.info().annotations.push({
      type: "looked at",
      description: `${role}: ${seen.size} kinds of page, ${asked.size} questions of buttons`,
    });
    expect(seen.size).toBeGreaterThanOrEqual(kinds);

    if (role === "owner") return;
    await test.step("be refused what is for others", async () => {
      mayFail.requests = true;
      const desk = await adminClient(OWNER);
      const start = await (await desk.get("/admin/")).text();
      await desk.leave();
      const lists = [...start.matchAll(/id="list-[^"]*"><a href="([^"]+)"/g)].map(
        ([, way]) => way ?? "",
      );
      const others = [...new Set(lists)].filter((way) => !seen.has(way) && !NOT_HERE.test(way));
      expect(others.length).toBeGreaterThan(10);
      for (const way of others) {
        const answer = await page.request.get(way);
        expect({ way, status: answer.status() }).toEqual({ way, status: 403 });
        expect(await answer.text()).toContain("Back to the start page");
      }
      await page.goto(others[0] ?? "");
      await lookAt(page, role);
      await page.getByRole("link", { name: "Back to the start page" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Running the shop");
    });
  });
}
