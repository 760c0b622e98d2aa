/** Navigation: lists, filters, Back, languages, narrow screens, the keyboard, no network. */

import type { Page } from "@playwright/test";
import {
  aPhone,
  expect,
  goods,
  isAccessible,
  newUser,
  putInCart,
  signIn,
  test,
  unique,
} from "./helpers";

test("Back returns to the same position in a list of many pages", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const shelf = await goods({ category: "sports", name: `Ball ${unique("b")}` });
  for (let at = 0; at < 30; at++) {
    await shelf.add({
      name: `Ball ${at} ${unique("b")}`,
      category: "sports",
      price: 100 + at,
      item_number: 3,
      payment_mpesa_number: "0722000001",
    });
  }
  await page.goto("/shop/category/sports");
  await isAccessible(page);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(page.getByText(shelf.name)).toBeVisible();
  await page.getByText(shelf.name).scrollIntoViewIfNeeded();
  const place = await page.evaluate(() => scrollY);
  expect(place).toBeGreaterThan(500);

  await page.getByRole("link", { name: shelf.name }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(shelf.name);
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(0);
  await page.goBack();

  await expect.poll(() => page.evaluate(() => scrollY)).toBe(place);
});

test("filters are in the address, and an invalid one is reported", async ({ page, mayFail }) => {
  const word = unique("feni");
  const shelf = await goods({ name: `Fan ${word} small`, price: 800 });
  await shelf.add({
    name: `Fan ${word} large`,
    category: "kitchen",
    price: 4000,
    item_number: 1,
    payment_mpesa_number: "0722000001",
  });
  mayFail.requests = true;
  await page.goto(`/shop/search?search=${word}`);
  await expect(page.getByText(`Fan ${word} large`)).toBeVisible();

  await page.getByText("Filters", { exact: true }).click();
  await page.getByLabel("Max price (KES)").fill("1,000");
  await page.keyboard.press("Enter");

  await expect(page).toHaveURL(/max_price=1000/);
  await expect(page.getByText(`Fan ${word} large`)).toBeHidden();
  await expect(page.getByText(`Fan ${word} small`)).toBeVisible();
  await isAccessible(page);
  await page.getByLabel("Max price (KES)").fill("cheap");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Give a whole number of shillings").first()).toBeVisible();
});

test("a search without results offers a way on", async ({ page }) => {
  await page.goto("/shop/search?search=zzzqqqxxx");

  await expect(page.getByText("No results")).toBeVisible();
  await isAccessible(page);
  await page.getByRole("link", { name: "Kitchen" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Kitchen");
});

test("what Django renders does not move when the app starts", async ({ browser, page }) => {
  const kettle = await goods();
  for (const [path, parts] of [
    ["/shop/", [".top", ".welcome h1", ".category-links", ".shelf h2", ".card .name"]],
    [
      `/shop/product/${kettle.id}`,
      [".top", ".product .name", ".product .price", ".meta", ".promise", ".description"],
    ],
    [
      "/shop/category/kitchen",
      [".top", "h1", ".category-links", ".filter-form", ".card .picture", ".card .name"],
    ],
  ] as const) {
    for (const width of [390, 1280]) {
      const without = await browser.newContext({
        javaScriptEnabled: false,
        baseURL: process.env.STORY_SHOP ?? "",
        viewport: { width, height: 844 },
      });
      const painted = await without.newPage();
      await painted.goto(path);
      await page.setViewportSize({ width, height: 844 });
      await page.goto(path);
      await expect(page.locator(".bottom")).toBeVisible();
      // The program's own style and pictures may still be on their way.
      await expect(async () => {
        for (const part of parts) {
          const before = await painted.locator(part).first().boundingBox();
          const after = await page.locator(part).first().boundingBox();
          for (const side of ["x", "y", "width"] as const) {
            expect(
              Math.abs((before?.[side] ?? 0) - (after?.[side] ?? -99)),
              `${path} ${part} ${side}`,
            ).toBeLessThan(2);
          }
        }
      }).toPass({ timeout: 60_000 });
      await without.close();
    }
  }
});

test("the home page and a product page make no API request at first", async ({ page }) => {
  const kettle = await goods();
  const asked: string[] = [];
  const pictures: string[] = [];
  page.on("request", (request) => {
    if (request.resourceType() === "fetch") asked.push(request.url());
    if (request.resourceType() === "image" && request.url().includes("/media/")) {
      pictures.push(request.url());
    }
  });

  await page.goto("/shop/");
  await page.waitForLoadState("networkidle");
  expect(asked).toEqual([]);
  expect(pictures.length).toBeLessThanOrEqual(12);
  await page.goto(`/shop/product/${kettle.id}`);
  await page.waitForLoadState("networkidle");
  expect(asked).toEqual([]);
});

test("every page needs one request for its HTML, and fits 320 pixels", async ({ page }) => {
  const [kettle, buyer] = [await goods({ price: 12_850 }), await newUser("mnunuzimwenyejina")];
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, buyer);
  await putInCart(page, kettle.id);
  await fitTheScreen(page, [
    "/shop/",
    "/shop/category/kitchen",
    "/shop/search?search=kettle",
    `/shop/product/${kettle.id}`,
    "/shop/cart",
    "/shop/checkout",
    "/shop/orders",
    "/shop/notices",
    "/shop/account",
    "/shop/account/addresses",
    "/shop/account/delete",
    "/shop/sign-in",
    "/shop/join",
    "/shop/password/reset",
    "/shop/password/reset/confirm/x/y",
    "/shop/email/confirm/x",
  ]);
});

test("a seller's pages fit 320 pixels", async ({ page }) => {
  const [kettle, buyer] = [await goods({ price: 12_850 }), await newUser("buyer")];
  await buyer.buys([kettle.id]);
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, kettle.seller);
  await fitTheScreen(page, [
    `/shop/seller/${kettle.seller.username}`,
    "/shop/selling",
    "/shop/selling/new",
    "/shop/selling/listings",
    `/shop/selling/listings/${kettle.id}`,
    "/shop/selling/orders",
    "/shop/selling/problems",
    "/shop/selling/reviews",
    "/shop/selling/money",
    "/shop/selling/sheets",
  ]);
});

/** Nothing is wider than the screen, and nobody is kept out; with letters twice as large, too. */
async function fitTheScreen(page: Page, paths: string[]): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  for (const path of paths) {
    await page.goto(path);
    await page.waitForLoadState("networkidle");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide, path).toBe(320);
    await isAccessible(page);
    await devtools.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
    expect.soft(await cutOff(page), `${path} with text at 200 %`).toEqual([]);
    // A sum stands out of a box that itself fits.
    const large = await page.evaluate(() => document.documentElement.scrollWidth);
    expect.soft(large, `${path} with text at 200 %`).toBe(320);
    await devtools.send("Page.setFontSizes", { fontSizes: { standard: 16, fixed: 13 } });
  }
}

/** What stands out over the screen, or has words that do not fit in it. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found = [...document.querySelectorAll<HTMLElement>("#root *")].filter((each) => {
      const style = getComputedStyle(each);
      // Said to screen readers alone, or a row that is scrolled on purpose.
      if (
        style.clipPath !== "none" ||
        each.closest(".category-links, .rail, .strip, .tabs, .hidden")
      )
        return false;
      const isOut = each.getBoundingClientRect().right > innerWidth + 1;
      const isCut = style.overflowX === "hidden" && each.scrollWidth > each.clientWidth + 1;
      return (isOut || isCut) && each.textContent !== "";
    });
    return found.map((each) => `${each.tagName}.${each.className}: ${each.textContent}`);
  });
}

test("Swahili is chosen once, and rendered by the server from then on", async ({ page }) => {
  await page.goto("/shop/");
  await page.getByRole("button", { name: "Kiswahili" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Unahitaji nini leo?");

  const answer = await page.reload();

  expect(await answer?.text()).toContain('<html lang="sw">');
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Unahitaji nini leo?");
  await page.getByRole("link", { name: "Kikapu" }).click();
  await expect(page.getByText("Kikapu chako hakina kitu")).toBeVisible();
  await isAccessible(page);
});

test("the categories at the foot of the home page keep their size", async ({ page }) => {
  await page.goto("/shop/");
  const foot = page.locator(".shelf", { has: page.locator(".tiles") });
  await expect(foot).toBeVisible();
  const height = () => foot.evaluate((each) => each.getBoundingClientRect().height);
  const before = await height();

  await page.locator(".bottom").scrollIntoViewIfNeeded();

  await expect(
    page
      .locator(".tile")
      .last()
      .getByText(/products?$/),
  ).toBeVisible();
  expect(await height()).toBeCloseTo(before, 0);
});

test("a language whose texts did not come can be chosen again", async ({ page, mayFail }) => {
  mayFail.requests = true;
  await page.goto("/shop/");
  await expect(page.getByRole("button", { name: "Kiswahili" })).toBeVisible();
  await page.route(/\/shop-[\w-]+\.js$/, (route) => route.abort());
  await page.getByRole("button", { name: "Kiswahili" }).click();
  await expect(page.getByText("We could not reach the shop.")).toBeVisible();
  await isAccessible(page);

  await page.unrouteAll();
  await page.getByRole("button", { name: "Kiswahili" }).click();

  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Unahitaji nini leo?");
});

test("a page begins by itself once its texts come", async ({ page, mayFail }) => {
  mayFail.requests = true;
  const shop = await (await page.request.get("/shop/cart")).text();
  const entry = /src="([^"]+\/shop-[^"]+\.js)"/.exec(shop)?.[1] ?? "";
  let lost = 0;
  await page.route(/\/shop-[\w-]+\.js$/, (route) => {
    if (route.request().url().endsWith(entry) || lost === 2) return route.continue();
    lost += 1;
    return route.abort();
  });

  await page.goto("/shop/cart");

  await expect(page.getByText("Your cart is empty")).toBeVisible();
  expect(lost).toBe(2);
});

test("a purchase needs no mouse", async ({ page }) => {
  const [kettle, buyer, phone] = [await goods(), await newUser("buyer"), aPhone()];
  await page.setViewportSize({ width: 1280, height: 900 });
  await signIn(page, buyer);
  /** Tab until what is named has the focus, and press Enter there. */
  const press = async (name: RegExp) => {
    for (let steps = 0; steps < 60; steps++) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(() => document.activeElement?.textContent ?? "");
      if (name.test(focused)) {
        await page.keyboard.press("Enter");
        return;
      }
    }
    throw new Error(`No way by the keyboard to ${name}`);
  };
  await page.goto("/shop/");
  await page.getByRole("combobox").focus();
  await page.keyboard.type(kettle.name);
  await expect(page.getByRole("option", { name: `${kettle.name} KES` })).toBeVisible();
  // Upwards from the field is the last of them: goods stand behind words.
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(kettle.name);
  await press(/^Add to cart$/);
  await press(/^View cart/);
  await expect(page.getByRole("link", { name: "Checkout" })).toBeVisible();
  await press(/^Checkout$/);
  await page.getByLabel("M-Pesa number").focus();
  await page.keyboard.type(phone.number);
  await expect(page.getByRole("button", { name: /^Pay KES/ })).toBeEnabled();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Enter your M-Pesa PIN" })).toBeVisible();
  await phone.enterPin();

  await expect(page.getByRole("heading", { name: "Paid" })).toBeVisible();
});

test("offline the cart is shown, and cannot be checked out", async ({ page, context, mayFail }) => {
  const kettle = await goods();
  mayFail.requests = true;
  await putInCart(page, kettle.id);
  await page.getByRole("link", { name: /^Cart/ }).click();
  await expect(page.getByRole("link", { name: "Checkout" })).toBeVisible();

  await context.setOffline(true);
  await page.getByRole("button", { name: "Increase quantity" }).click();

  await expect(page.getByText("No connection to the shop.")).toBeVisible();
  await expect(page.getByRole("link", { name: kettle.name })).toBeVisible();
  await isAccessible(page);
  await context.setOffline(false);
  await expect(page.getByText("No connection to the shop.")).toBeHidden();
});

test("a product that is no longer for sale is a 404 with a way on", async ({ page, mayFail }) => {
  const kettle = await goods();
  mayFail.requests = true;
  await kettle.takeOff();

  const answer = await page.goto(`/shop/product/${kettle.id}`);

  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    "This product is no longer available",
  );
  await isAccessible(page);
});
