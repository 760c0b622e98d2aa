/** Helpers of the browser tests: users, products and phones of a real shop with the M-Pesa simulator. */

import { AxeBuilder } from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";

const SHOP = process.env.STORY_SHOP ?? "";
const MPESA = process.env.STORY_PHONE ?? "";
const PASSWORD = "sukuma wiki 7";
/** The password of the demo's users (products/demo/seed.py). */
const DEMO_PASSWORD = "karibu2026";

// biome-ignore lint/suspicious/noExplicitAny: responses have many shapes; each caller knows its own
type Body = any;
type Answer = { status: number; body: Body };

async function call(method: string, url: string, body?: unknown, token?: string): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      "Content-Type": "application/json",
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null };
}

async function done(method: string, url: string, body?: unknown, token?: string): Promise<Body> {
  const answer = await call(method, url, body, token);
  if (answer.status >= 300) {
    throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return answer.body;
}

/** A user name that is unique in this run, and not confusable with another, which the shop refuses. */
export function unique(word: string): string {
  const letters = "acdefhjkmnprtwxy";
  const random = crypto.getRandomValues(new Uint8Array(8));
  return word + Array.from(random, (byte) => letters[byte % letters.length]).join("");
}

/** A phone with a new number; `ending` is a result code that the simulator answers its prompts with. */
export function aPhone(ending?: string) {
  const middle = String(10_000_000 + Math.floor(Math.random() * 89_999_999));
  const local = ending ? `07${middle.slice(0, 4)}${ending}` : `07${middle}`;
  const control = (what: string, body: unknown) =>
    call("POST", `${MPESA}/control/phones/${local}/${what}`, body);
  const untilItRings = async (what: string, body: unknown) => {
    await expect
      .poll(async () => (await control(what, body)).status, { timeout: 60_000 })
      .toBeLessThan(300);
  };
  return {
    number: local,
    enterPin: (pin = "1234") => untilItRings("pin", { pin }),
    cancel: () => untilItRings("cancel", {}),
    /** The sign-in code of the newest SMS that has one. */
    code: async (): Promise<string> => {
      const read = async () => {
        const { body } = await call("GET", `${MPESA}/control/phones/${local}`);
        const texts: string[] = (body.inbox ?? []).map(({ text }: { text: string }) => text);
        return texts.map((text) => /^(\d{6}) is your/.exec(text)?.[1]).find(Boolean) ?? "";
      };
      await expect.poll(read, { timeout: 60_000 }).not.toBe("");
      return read();
    },
    /** The receipt number of the phone's newest payment. */
    receipt: async (): Promise<string> => {
      const read = async () => {
        const { body } = await call("GET", `${MPESA}/control/phones/${local}`);
        const texts: string[] = (body.inbox ?? []).map(({ text }: { text: string }) => text);
        return texts.map((text) => /^(T\w{9}) Confirmed/.exec(text)?.[1]).find(Boolean) ?? "";
      };
      await expect.poll(read, { timeout: 15_000 }).not.toBe("");
      return read();
    },
    payByHand: (account: string, amount: number) =>
      done("POST", `${MPESA}/control/phones/${local}/pay`, {
        business: "174379",
        account,
        amount,
        pin: "1234",
      }),
  };
}

/** A product of a new seller. */
export async function goods(
  wanted: Partial<{ name: string; price: number; item_number: number; category: string }> = {},
) {
  const seller = await newUser("seller");
  const made: { id: number; name: string; price: number } = await done(
    "POST",
    `${SHOP}/create/`,
    {
      name: `Kettle ${unique("k")}`,
      category: "kitchen",
      price: 1500,
      item_number: 5,
      description: "Boils in four minutes and switches itself off.",
      payment_mpesa_number: "0722000001",
      ...wanted,
    },
    seller.access,
  );
  return {
    ...made,
    reprice: (price: number) =>
      done("PATCH", `${SHOP}/product/${made.id}/`, { price }, seller.access),
    takeOff: () => done("PATCH", `${SHOP}/product/${made.id}/`, { listed: false }, seller.access),
    seller,
    add: (item: object) => done("POST", `${SHOP}/create/`, item, seller.access),
  };
}

/** A red square of two pixels by two. */
export function aPicture() {
  return Buffer.from(PNG, "base64");
}
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR42mM8wcDAwMDAxMDAwMDAAAAKUgDMUvvpCwAAAABJRU5ErkJggg==";

type Phone = ReturnType<typeof aPhone>;
type Bought = { order_token: string; reference: string; order: { id: number }[] };
type SignedIn = { access: string; user: { pk: number; username: string } };

/** A newly registered user, with shortcuts to what they do by the API. */
export async function newUser(word: string) {
  const username = unique(word);
  const response = await fetch(`${SHOP}/registration/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Token-Transport": "cookie" },
    body: JSON.stringify({ username, password1: PASSWORD, password2: PASSWORD }),
  });
  if (!response.ok) throw new Error(await response.text());
  const signedIn: SignedIn = await response.json();
  return {
    ...signedIn,
    /** The cookies that sign a browser in as them (accounts/cookies.py). */
    cookies: response.headers.getSetCookie(),
    username,
    password: PASSWORD,
    orders: async (): Promise<{ id: number; order_token: string; payment_status: string }[]> =>
      done("GET", `${SHOP}/track/order/`, undefined, signedIn.access),
    order: async (token: string): Promise<Body> =>
      done("GET", `${SHOP}/cashout/${token}/`, undefined, signedIn.access),
    /** Place an order by the API; the phone shows the prompt. */
    asksFor: async (products: readonly number[], phone: Phone): Promise<Bought> =>
      done(
        "POST",
        `${SHOP}/cashout/`,
        {
          mpesa_number: phone.number,
          order: products.map((product) => ({ product, number: 1 })),
        },
        signedIn.access,
      ),
    givesUp: (line: number) =>
      done("POST", `${SHOP}/track/${line}/move/`, { to: "cancelled" }, signedIn.access),
    /** Place an order by the API, and pay it. */
    buys: async (
      products: readonly number[],
      delivery: object | null = null,
      phone: Phone = aPhone(),
    ): Promise<Bought> => {
      const order = await done(
        "POST",
        `${SHOP}/cashout/`,
        {
          mpesa_number: phone.number,
          order: products.map((product) => ({ product, number: 1 })),
          delivery,
        },
        signedIn.access,
      );
      await phone.enterPin();
      const read = () =>
        done("GET", `${SHOP}/cashout/${order.order_token}/`, undefined, signedIn.access);
      await expect
        .poll(async () => (await read()).payment_status, { timeout: 60_000 })
        .toBe("paid");
      return read();
    },
    /** Report a problem with a line, with a picture. */
    reports: async (line: number, text: string): Promise<void> => {
      const body = new FormData();
      body.set("kind", "damaged");
      body.set("text", text);
      body.set("pictures", new Blob([aPicture()], { type: "image/png" }), "handle.png");
      const headers = { Authorization: `Bearer ${signedIn.access}` };
      const answer = await fetch(`${SHOP}/track/${line}/problem/`, {
        method: "POST",
        headers,
        body,
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    reviews: (line: number, stars: number, text: string) =>
      done("POST", `${SHOP}/track/${line}/review/`, { stars, text }, signedIn.access),
    endAllSessions: () => done("POST", `${SHOP}/account/sessions/end-all/`, {}, signedIn.access),
  };
}

/** Script the simulator's next responses as M-Pesa or as SMS provider. */
export const script = (how: object) => done("POST", `${MPESA}/control/scripts`, how);

/** Change the status of a line, as staff of the demo. */
export async function moveLineAsStaff(line: number, to: string, proof: object = {}): Promise<void> {
  const moved = { to, ...proof };
  await done("POST", `${SHOP}/track/${line}/move/`, moved, await demoToken("delivery"));
}

/** Sign in as a user of the demo: `delivery` is a delivery agent, `faith` works at a pick-up point. */
export async function signInAsDemoUser(
  username: string,
): Promise<SignedIn & { cookies: string[] }> {
  const response = await fetch(`${SHOP}/login/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Token-Transport": "cookie" },
    body: JSON.stringify({ username, password: DEMO_PASSWORD }),
  });
  if (!response.ok) throw new Error(await response.text());
  const signedIn: SignedIn = await response.json();
  return { ...signedIn, cookies: response.headers.getSetCookie() };
}

async function demoToken(username: string): Promise<string> {
  return (await signInAsDemoUser(username)).access;
}

/** The seller accepts a problem with a partial refund of `amount` KES. */
export async function acceptProblem(line: number, amount: number, seller: SignedIn): Promise<void> {
  await done("POST", `${SHOP}/track/${line}/problem/accept/`, { amount }, seller.access);
}

/** Deliver an order's parcel to its pick-up point, and receive it there. */
export async function arriveAtPoint(reference: string): Promise<void> {
  const [support, point] = [await demoToken("support"), await demoToken("faith")];
  const parcels: { id: number; order: string }[] = await done(
    "GET",
    `${SHOP}/deliveries/?page_size=100`,
    undefined,
    support,
  );
  const parcel = parcels.find(({ order }) => order === reference);
  const move = (to: string, by: string) =>
    done("POST", `${SHOP}/deliveries/${parcel?.id}/move/`, { to }, by);
  await move("fetched", support);
  await move("shipping", support);
  await move("arrived", point);
}

/** Sign a user in without the form, before the first page. */
export async function signIn(
  page: Page,
  { user, cookies }: Pick<SignedIn, "user"> & { cookies: string[] },
): Promise<void> {
  await page.context().addCookies(
    cookies.map((line) => {
      const [, name = "", value = "", path = "/"] =
        /^(\w+)=([^;]*);.*Path=([^;]+)/.exec(line) ?? [];
      const { hostname } = new URL(SHOP);
      return { name, value, path, domain: hostname, httpOnly: true, sameSite: "Strict" as const };
    }),
  );
  await page.addInitScript((stored) => {
    if (!sessionStorage.getItem("begun")) localStorage.setItem("session", stored);
    sessionStorage.setItem("begun", "true");
  }, JSON.stringify({ user }));
}

/** Add a product to the cart on its page. */
export async function putInCart(page: Page, id: number): Promise<void> {
  await page.goto(`/shop/product/${id}`);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await expect(page.getByText("in your cart.")).toBeVisible();
}

/** Check out, from the cart to the payment page. */
export async function cashOut(page: Page, number: string): Promise<void> {
  await page.goto("/shop/cart");
  await page.getByRole("link", { name: "Checkout" }).click();
  await page.getByLabel("M-Pesa number").fill(number);
  await page.getByRole("button", { name: /^Pay KES/ }).click();
  await page.waitForURL(/\/shop\/pay\//);
}

/** Check the page as it is with axe, by WCAG 2.2 AA. */
export async function isAccessible(page: Page): Promise<void> {
  // Repeated, because the page may still be loading or changing.
  await expect(async () => expect(await violationsOn(page)).toEqual([])).toPass({
    timeout: 60_000,
  });
}

async function violationsOn(page: Page): Promise<string[]> {
  await expect(page.getByRole("heading", { level: 1 }).first()).toBeVisible();
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("; ")}`);
}

/** The browser's message about a request that failed or was refused. */
const RESOURCE = /^Failed to load resource: /;
/** Playwright's message: most tests run without a service worker (playwright.config.ts). */
const NO_WORKER = /^Service Worker registration blocked by Playwright/;

export const test = base.extend<{ mayFail: { requests: boolean } }>({
  /** The console must stay clean. A test with refused or lost requests sets `mayFail.requests`. */
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameters' names
  mayFail: async ({}, use) => use({ requests: false }),
  page: async ({ page, mayFail }, use) => {
    const said: string[] = [];
    page.on("console", (message) => {
      const text = message.text();
      if (NO_WORKER.test(text) || (mayFail.requests && RESOURCE.test(text))) return;
      if (["error", "warning"].includes(message.type())) said.push(text);
    });
    page.on("pageerror", (error) => said.push(String(error)));
    await use(page);
    expect(said).toEqual([]);
  },
});

export { expect };
