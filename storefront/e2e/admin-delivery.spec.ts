/** An agent's day at the admin, on a phone: parcels, pick-up points, rates. */

import type { Page } from "@playwright/test";
import { expect, goods, newUser, test, unique } from "./helpers";
import {
  adminClient,
  findAnything,
  hire,
  isForTheKeyboard,
  isSound,
  job,
  OWNER,
  open,
  pressByKey,
  said,
  signInToAdmin,
} from "./staff";

const HOME = {
  recipient: "Wanjiku Kamau",
  phone: "0712345678",
  county: "kiambu",
  area: "Ruiru, Membley Estate",
  directions: "Blue gate opposite the petrol station",
};

test("an agent delivers parcels, and edits pick-up points and rates", async ({ page, mayFail }) => {
  test.slow();
  const [agent, kettle] = [await hire("delivery"), await goods()];
  const buyer = await newUser("buyer");
  const order = await buyer.buys([kettle.id], HOME);
  const other = await buyer.buys([kettle.id], HOME);
  const [line] = (await buyer.order(order.order_token)).order;
  const code: string = line.collection_code;
  const parcel = page.getByRole("article").filter({ hasText: order.reference });
  const part = (name: string) => page.getByRole("navigation", { name: "Parts" }).getByText(name);

  await test.step("sign in", async () => {
    await signInToAdmin(page, agent);
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
    await expect(said(page)).toContainText("It is yours to fetch.");
  });

  await job(page, "take another on, and free it for others", 3, async () => {
    const second = page.getByRole("article").filter({ hasText: other.reference });
    await second.getByRole("button", { name: /^Claim/ }).click();
    await second.locator("summary", { hasText: "Release" }).click();
    await isSound(page);
    await second.getByLabel("Note").fill("Too far for me");
    await second.getByRole("button", { name: /^Confirm/ }).click();
    await expect(said(page)).toContainText("It is free for other agents.");
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
    await expect(said(page)).toContainText("The failed attempt is recorded");
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

  await job(page, "open a pick-up point", 3, async () => {
    await page.getByRole("link", { name: "Add: Pick-up points" }).click();
    await isSound(page);
    await page.getByLabel("Name").fill(unique("Duka "));
    await page.getByLabel("County").selectOption("nakuru");
    await page.getByLabel("Area").fill("Nakuru, Kenyatta Avenue");
    await page.getByLabel("Phone").fill("0712 000 333");
    await page.getByLabel("Opening hours").fill("Mon–Sat 8–18");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(said(page)).toContainText("was added successfully");
  });

  await job(page, "see what bringing costs", 1, async () => {
    await open(page, "Delivery rates");
    await expect(page.locator("#result_list")).toContainText(/To an address.*KES \d+/s);
    await isSound(page);
  });

  await test.step("look at a rate", async () => {
    await page.locator("#result_list tbody th a").first().click();
    await isSound(page);
  });
});

/** Slow, as in the country on a bad day: each answer takes a second and a half more. */
async function slowLine(page: Page): Promise<void> {
  const line = await page.context().newCDPSession(page);
  const speed = { latency: 1500, downloadThroughput: 50_000, uploadThroughput: 20_000 };
  await line.send("Network.emulateNetworkConditions", { offline: false, ...speed });
}

test("on a slow connection an agent presses twice, loses an answer and reloads, and nothing is done twice", async ({
  page,
  mayFail,
}) => {
  test.slow();
  const [agent, kettle, buyer] = [await hire("delivery"), await goods(), await newUser("buyer")];
  const order = await buyer.buys([kettle.id], HOME);
  const [line] = (await buyer.order(order.order_token)).order;
  const parcel = page.getByRole("article").filter({ hasText: order.reference });
  /** The staff actions that the audit log holds about this parcel, as the owner reads them. */
  const recorded = async () => {
    const desk = await adminClient(OWNER);
    const list = await (await desk.get(`/admin/accounts/audit/?q=${agent.username}`)).text();
    await desk.leave();
    return (list.match(/field-did.*?<a[^>]*>[^<]+/g) ?? []).map((cell) => cell.replace(/.*>/, ""));
  };
  await signInToAdmin(page, agent);
  await open(page, "Parcels");
  await slowLine(page);

  await test.step("press twice, before the answer is there", async () => {
    await parcel.getByRole("button", { name: /^Claim/ }).dblclick();
    await expect(said(page)).toContainText("It is yours");
    await page.reload();
    await expect(parcel.locator("summary", { hasText: "Release" })).toBeVisible();
    expect(await recorded()).toEqual(["Claim"]);
  });

  await test.step("lose the answer, with all that is in it", async () => {
    mayFail.requests = true;
    await page.route("**/fetched/", async (route) => {
      // The shop gets the press; whoever pressed gets nothing, not even a cookie.
      const { url, method, postData } = {
        url: route.request().url(),
        method: route.request().method(),
        postData: route.request().postData() ?? "",
      };
      const headers = await route.request().allHeaders();
      await fetch(url, { method, body: postData, headers: asSent(headers), redirect: "manual" });
      await route.abort("connectionreset");
    });
    const lost = page.waitForEvent("requestfailed", (request) =>
      request.url().endsWith("/fetched/"),
    );
    await parcel
      .getByRole("button", { name: /^Fetched from the seller/ })
      .click({ noWaitAfter: true });
    await lost;
    await page.unroute("**/fetched/");
    await page.goto("/admin/deliveries/");
    await expect(said(page)).toContainText(`${order.reference}: Fetched from the seller.`);
    expect(await recorded()).toEqual(["Fetched from the seller", "Claim"]);
  });

  await test.step("press again on the page as it was before", async () => {
    await page.goto("/admin/deliveries/?part=bring");
    await parcel.getByRole("button", { name: /^On the way/ }).click();
    await expect(said(page)).toContainText("On the way.");
    // What the browser still shows of the page before.
    await page.goBack();
    const again = parcel.getByRole("button", { name: /^On the way/ });
    if (await again.isVisible()) {
      await again.click();
      await expect(said(page)).toContainText("this was recorded already. Nothing was done twice.");
    }
    expect((await recorded()).slice(0, 2)).toEqual(["On the way", "Fetched from the seller"]);
    await isSound(page);
  });

  await test.step("send a failed attempt twice: the buyer is told once", async () => {
    const record = async () => {
      await parcel.locator("summary", { hasText: "Record a failed attempt" }).click();
      await parcel.getByLabel("What happened").selectOption("nobody_there");
      await parcel
        .locator("details[open]")
        .getByRole("button", { name: /^Confirm/ })
        .click();
    };
    await page.goto("/admin/deliveries/?part=bring");
    await record();
    await expect(said(page)).toContainText("The failed attempt is recorded");
    await record();
    await expect(said(page)).toContainText("Nothing was added.");
    expect((await recorded()).filter((did) => did.startsWith("Record a failed"))).toHaveLength(1);
  });

  await test.step("hand it over by the code, twice", async () => {
    const press = async () => {
      await parcel.locator("summary", { hasText: "Handed to the buyer" }).click();
      await parcel.getByLabel("Collection code").fill(line.collection_code);
      await parcel
        .locator("details[open]")
        .getByRole("button", { name: /^Confirm/ })
        .dblclick();
    };
    await press();
    await expect(said(page)).toContainText("Handed to the buyer");
    expect((await recorded()).filter((did) => did.startsWith("Handed"))).toHaveLength(1);
    expect((await buyer.order(order.order_token)).order[0].track_status).toBe("delivered");
  });
});

/** Headers that Node may send on. */
function asSent(headers: Record<string, string>): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => !/^(:|content-length|host$)/.test(name));
  return Object.fromEntries(own);
}
