/** Helpers of the admin's tests: staff with a role, and checks of every page they see. */

import { createHmac } from "node:crypto";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Locator, type Page, request } from "@playwright/test";
import { test, unique } from "./helpers";

const SHOP = process.env.STORY_SHOP ?? "";
/** The demo's superuser (products/demo/seed.py). */
export const OWNER = { username: "admin", password: "karibu2026" };
const PASSWORD = "sukuma wiki na ugali";
const NARROW = { width: 390, height: 844 };

export type Person = { username: string; password: string };

/** A client of the admin without a browser, signed in: to prepare data. Throws if a post fails. */
export async function adminClient(person: Person) {
  const desk = await request.newContext({ baseURL: SHOP });
  const post = async (path: string, form: Record<string, string>) => {
    const { cookies } = await desk.storageState();
    const csrfmiddlewaretoken = cookies.find(({ name }) => name === "csrftoken")?.value ?? "";
    const ask = () => desk.post(path, { form: { csrfmiddlewaretoken, ...form } });
    let answer = await ask();
    // 503: SQLite was busy, and nothing was done. Post again.
    await expect(async () => {
      if (answer.status() === 503) answer = await ask();
      expect(answer.status()).not.toBe(503);
    }).toPass({ timeout: 20_000 });
    if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
    return answer;
  };
  await desk.get("/admin/login/");
  await post("/admin/login/", { ...person, next: "/admin/" });
  return { post, get: (path: string) => desk.get(path), leave: () => desk.dispose() };
}

/** The superuser's client, shared by all tests. */
let owners: ReturnType<typeof adminClient> | undefined;

/** Create a staff member with a role, as the demo's superuser; `more` are further form fields. */
export async function hire(role: string, more: Record<string, string> = {}): Promise<Person> {
  const person = { username: unique("zuri"), password: PASSWORD };
  owners ??= adminClient(OWNER);
  const desk = await owners;
  const form = await (await desk.get("/admin/accounts/user/add/")).text();
  const group = new RegExp(`name="groups" value="(\\d+)"[^>]*>\\s*${role}:`).exec(form)?.[1];
  const typed = { password1: PASSWORD, password2: PASSWORD, groups: group ?? "" };
  const page = await desk.post("/admin/accounts/user/add/", {
    username: person.username,
    ...typed,
  });
  expect(page.url()).toMatch(/\/user\/\d+\/change\/$/);
  if (Object.keys(more).length > 0) {
    const powers = { is_active: "on", is_staff: "on", groups: group ?? "", ...more };
    await desk.post(page.url(), { username: person.username, ...powers });
  }
  return person;
}

/** Browser pages in which presses are counted. */
const counted = new WeakSet<Page>();

/** Sign in at the admin's log-in page, and count presses from then on. */
export async function signInToAdmin(page: Page, person: Person): Promise<void> {
  if (!counted.has(page)) await page.addInitScript(countPresses);
  counted.add(page);
  await page.goto("/admin/");
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Run in every page: count clicks, choices and chosen files, by mouse or keyboard; not typing. */
function countPresses(): void {
  const count = () =>
    sessionStorage.setItem("presses", String(Number(sessionStorage.getItem("presses")) + 1));
  document.addEventListener("click", count, true);
  const isChosen = ({ target }: Event) =>
    target instanceof HTMLSelectElement || (target as HTMLInputElement).type === "file";
  document.addEventListener("change", (event) => isChosen(event) && count(), true);
}

const pressesOn = (page: Page) =>
  page.evaluate(() => Number(sessionStorage.getItem("presses") ?? "0"));

/** Do one of a role's most common jobs, and check how many presses it takes from where the last one
 *  ended. docs/admin.md lists them (tests/admin/test_role_tasks.py compares). */
export async function job(
  page: Page,
  name: string,
  presses: number,
  walk: () => Promise<void>,
): Promise<void> {
  await test.step(name, async () => {
    const before = await pressesOn(page);
    await walk();
    const taken = (await pressesOn(page)) - before;
    expect({ name, presses: taken }).toEqual({ name, presses });
  });
}

/** Open a list or page by the sidebar or a phone's menu, otherwise by the start page. */
export async function open(page: Page, name: string): Promise<void> {
  // The sidebar appears once the page's scripts have run.
  await page.waitForLoadState();
  const beside = page
    .locator("#nav-sidebar, .shop-menu")
    .getByRole("link", { name, exact: true })
    .filter({ visible: true });
  const menu = page.locator(".shop-menu summary");
  if (await menu.isVisible()) await menu.click();
  if (await beside.isVisible()) {
    await beside.click();
  } else {
    if (new URL(page.url()).pathname !== "/admin/") await goToStart(page);
    await page.locator("#content-main").getByRole("link", { name, exact: true }).click();
  }
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
}

/** Go to the start page by the shop's name, which is on every page. */
export async function goToStart(page: Page): Promise<void> {
  await page.getByRole("link", { name: "O-Mache", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Running the shop");
}

/** Search for something in the search box of every page; `title` is the heading of what opens. */
export async function findAnything(
  page: Page,
  what: string,
  title: string | RegExp,
): Promise<void> {
  const box = page.getByRole("searchbox", { name: "Find anything" });
  await box.fill(what);
  await box.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
}

/** Decide what waits on its card, with a reason. */
export async function decideOn(card: Locator, button: string, why: string): Promise<void> {
  await card.getByLabel("Your reason").fill(why);
  await card.getByRole("button", { name: button }).click();
}

/** The page's messages about what was done. */
export const said = (page: Page) => page.locator(".messagelist");

/** Press a button of a row's page, give a reason, and check that it leads back to the row. */
export async function doWith(page: Page, button: string | RegExp, why: string): Promise<void> {
  const { pathname } = new URL(page.url());
  await page.getByRole("button", { name: button }).first().click();
  await page.getByLabel(/^(Why|Note)/).fill(why);
  await page.locator("input[type=submit].default").click();
  await expect(page).toHaveURL((url) => url.pathname === pathname);
}

/** Pages that were checked; each is checked once, and once more with open forms or errors. */
const seen = new Set<string>();

/** Check a page: axe finds nothing serious by WCAG 2.2 AA, at its width and at a phone's; nothing is cut
 *  off; and nothing is in a database's format. Each page is checked once, or once per `viewer`. */
export async function isSound(page: Page, viewer = ""): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const path = new URL(page.url()).pathname.replace(/\d+/g, "#");
  const open = await page.locator("main details[open]").count();
  const mistakes = await page.locator("main .errorlist").count();
  const look = `${viewer} ${path} ${open > 0} ${mistakes > 0}`;
  if (seen.has(look)) return;
  seen.add(look);
  const size = page.viewportSize() ?? NARROW;
  const at = page.url();
  for (const each of [size, NARROW]) {
    await page.setViewportSize(each);
    const found = await graveIn(axe(page).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]));
    const cut = await page.evaluate(widerThanThePage);
    expect({ at, width: each.width, found, cut }).toEqual({
      at,
      width: each.width,
      found: [],
      cut: [],
    });
    if (size.width === NARROW.width) break;
  }
  await page.setViewportSize(size);
  const raw = await page.evaluate(notForPeople);
  expect({ at, raw }).toEqual({ at, raw: [] });
}

/** Check the colours of the dark theme, at a phone's width. */
export async function isSoundInTheDark(page: Page): Promise<void> {
  const size = page.viewportSize() ?? NARROW;
  await page.setViewportSize(NARROW);
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  // Django's links and buttons change their colours gradually.
  await page.evaluate(() => {
    for (const each of document.getAnimations()) each.finish();
  });
  const found = await graveIn(axe(page).withRules(["color-contrast"]));
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(size);
  const at = page.url();
  expect({ at, found }).toEqual({ at, found: [] });
}

/** Run in the page: find texts in a format that only the database or Django would use. Except in <pre>,
 *  which shows raw messages. */
function notForPeople(): string[] {
  const raw =
    /\b254[17]\d{8}\b|\d{4}-\d\d-\d\dT|Can (add|change|delete|view) |Designates|Hold down|---/;
  const found: string[] = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const words = text.textContent?.trim() ?? "";
    const isPosted = text.parentElement?.closest("pre, code, script, style");
    if (!isPosted && raw.test(words)) found.push(words.slice(0, 120));
  }
  for (const { value } of document.querySelectorAll<HTMLInputElement>("input[type=text]")) {
    if (raw.test(value)) found.push(value);
  }
  const title = document.querySelector("h1")?.textContent ?? "";
  return /^(View|Add|Select) /.test(title) ? [...found, title] : found;
}

/** Without preloading style sheets, which the page's Content-Security-Policy forbids. */
const axe = (page: Page) => new AxeBuilder({ page }).options({ preload: false });

async function graveIn(axe: AxeBuilder): Promise<string[]> {
  const { violations } = await axe.analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("; ")}`);
}

/** Run in the page: find what makes it wider than its window. */
function widerThanThePage(): string[] {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => element.outerHTML.slice(0, 120))
    .slice(0, 5);
}

/** Check that a page works without a mouse: Tab leads to the skip link first, then to everything that
 *  can be pressed or filled in, and the focus is visible. */
export async function isForTheKeyboard(page: Page): Promise<void> {
  await page.goto(page.url());
  const count = await page.evaluate(() => {
    const able = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    const all = [...document.querySelectorAll(able)].filter(
      (element) => element.checkVisibility() && !element.matches(":disabled, [tabindex='-1']"),
    );
    for (const element of all) if (element.closest("#content")) element.classList.add("to-reach");
    document.addEventListener("focusin", ({ target }) => {
      const element = target as HTMLElement;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      const isShown = (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
      element.classList.remove("to-reach");
      if (!isShown) element.classList.add("unseen");
      document.body.dataset.first ??= element.textContent?.trim();
    });
    return all.length;
  });
  // All at once: they are handled in order, without waiting for each response.
  await Promise.all(Array.from({ length: count + 2 }, () => page.keyboard.press("Tab")));
  const html = (all: Element[]) => all.map((element) => element.outerHTML.slice(0, 120));
  const missed = await page.locator(".to-reach").evaluateAll(html);
  const unseen = await page.locator(".unseen").evaluateAll(html);
  const first = await page.locator("body").getAttribute("data-first");
  const at = page.url();
  const good = { at, first: "Skip to main content", missed: [], unseen: [] };
  expect({ at, first, missed, unseen }).toEqual(good);
}

/** Reach something by Tab, and press it by a key. */
export async function pressByKey(page: Page, what: Locator, key = "Enter"): Promise<void> {
  await expect(what).toBeVisible();
  for (let step = 0; step < 200; step += 1) {
    if (await what.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press("Tab");
  }
  await expect(what).toBeFocused();
  await page.keyboard.press(key);
}

/** The code an authenticator app shows now for a key (TOTP, RFC 6238). */
export function codeOf(key: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(key, (letter) => letters.indexOf(letter).toString(2).padStart(5, "0"));
  const bytes =
    bits
      .join("")
      .match(/.{8}/g)
      ?.map((byte) => Number.parseInt(byte, 2)) ?? [];
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", Buffer.from(bytes)).update(step).digest();
  const at = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
