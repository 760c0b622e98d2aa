import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { session } from "../src/api/session";
import CartPage from "../src/cart/CartPage";
import type { CartLine } from "../src/cart/cart";
import { canOrder, checkLines, totalOf } from "../src/cart/checkLines";
import { guestOrders } from "../src/orders/guestOrders";
import { answerWith, aProduct, show } from "./page";

const line = (changes: Partial<CartLine> = {}): CartLine => ({
  id: 41,
  number: 1,
  price: 1500,
  name: "Kettle",
  thumbnail: null,
  ...changes,
});

async function freshCart(stored: unknown) {
  localStorage.setItem("cart", typeof stored === "string" ? stored : JSON.stringify(stored));
  vi.resetModules();
  return (await import("../src/cart/cart")).cart;
}

describe("the cart in this browser", () => {
  it.each([
    ["nonsense", "{"],
    ["another shape", { a: 1 }],
    ["broken lines", [{ id: "x" }, null]],
  ])("is empty where storage holds %s", async (_, stored) => {
    expect((await freshCart(stored)).lines()).toEqual([]);
  });

  it("adds up what is there already, and stops at the most", async () => {
    const cart = await freshCart([]);
    cart.add(line(), 2);
    cart.add(line(), 3);
    expect(cart.lines()[0]?.number).toBe(5);
    cart.add(line(), 5000);
    expect(cart.lines()[0]?.number).toBe(999);
  });

  it("takes no more than a hundred lines", async () => {
    const cart = await freshCart(Array.from({ length: 100 }, (_, id) => line({ id: id + 1 })));
    cart.add(line({ id: 777 }), 1);
    expect(cart.lines()).toHaveLength(100);
  });

  it("sees what another tab put in before it writes", async () => {
    const cart = await freshCart([]);
    localStorage.setItem("cart", JSON.stringify([line({ id: 7 })]));
    cart.add(line({ id: 8 }), 1);
    expect(cart.lines().map(({ id }) => id)).toEqual([7, 8]);
  });

  it("takes out what was ordered and nothing that came in meanwhile", async () => {
    const cart = await freshCart([line({ id: 1, number: 3 }), line({ id: 2 }), line({ id: 3 })]);
    cart.takeOut([
      { product: 1, number: 2 },
      { product: 2, number: 1 },
    ]);
    expect(cart.lines().map(({ id, number }) => [id, number])).toEqual([
      [1, 1],
      [3, 1],
    ]);
  });

  it("lasts as long as the page where nothing can be stored", async () => {
    const cart = await freshCart([]);
    const full = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    cart.add(line(), 1);
    cart.add(line({ id: 42 }), 1);
    full.mockRestore();
    expect(cart.lines().map(({ id }) => id)).toEqual([41, 42]);
  });
});

describe("what stands between a cart and an order", () => {
  it.each([
    ["fine", {}, {}],
    ["price", { price: 1400 }, {}],
    ["short", { number: 6 }, {}],
    ["soldout", {}, { soldout: true }],
  ] as const)("is %s", (state, ofLine, ofProduct) => {
    expect(checkLines([line(ofLine)], [aProduct(ofProduct)])[0]?.state).toBe(state);
  });

  it("is gone where the shop does not name it", () => {
    expect(checkLines([line()], [])[0]?.state).toBe("gone");
  });

  it("counts today's prices, and nothing for what cannot be had", () => {
    const lines = checkLines(
      [line({ number: 2, price: 1 }), line({ id: 42 })],
      [aProduct(), aProduct({ id: 42, soldout: true })],
    );
    expect(totalOf(lines)).toBe(3000);
    expect(canOrder(lines)).toBe(false);
  });

  it("is too much beyond what M-Pesa moves at once", () => {
    const product = aProduct({ price: 150_000, item_number: 9 });
    expect(canOrder(checkLines([line({ price: 150_000 })], [product]))).toBe(true);
    expect(canOrder(checkLines([line({ price: 150_000, number: 2 })], [product]))).toBe(false);
  });
});

/** As another tab leaves it. */
function holds(lines: CartLine[]): void {
  localStorage.setItem("cart", JSON.stringify(lines));
  dispatchEvent(new StorageEvent("storage", { key: "cart" }));
}

function signIn(): void {
  session.begin(
    { access: ACCESS, refresh: "r" },
    { pk: 7, username: "wanjiku", email: "", first_name: "", last_name: "" },
  );
}
const ACCESS = `x.${btoa(JSON.stringify({ iat: 1_000_000, exp: 1_003_600 }))}.x`;

describe("the cart's page", () => {
  it("shows what it knows while the shop does not answer, and lets nobody cash out", async () => {
    holds([line()]);
    answerWith({ "POST /cart/": new TypeError("no network") });
    show(<CartPage />);

    // Nothing need be pressed: it is asked again as the line comes back.
    expect(
      await screen.findByText(/No connection to the shop. This will load when there is one./),
    ).toBeTruthy();
    expect(screen.getByText("Kettle")).toBeTruthy();
    expect(screen.queryByText("Checkout")).toBeNull();
  });

  it("says so beyond M-Pesa's limit", async () => {
    holds([line({ price: 150_000, number: 2 })]);
    answerWith({ "POST /cart/": [aProduct({ price: 150_000 })] });
    show(<CartPage />);

    expect(await screen.findByText(/M-Pesa allows up to KES 250,000 per payment/)).toBeTruthy();
    fireEvent.click(screen.getByLabelText("Decrease quantity"));
    expect(await screen.findByRole("link", { name: "Checkout" })).toBeTruthy();
  });

  it.each([
    ["guest", () => guestOrders.add({ token: "t", phone: "0712345678" })],
    ["account", () => signIn()],
  ])("shows a buyer who came back to it the way to their orders: %s", (_, comes) => {
    holds([]);
    comes();
    show(<CartPage />);

    expect(screen.getByRole("link", { name: "your orders" }).getAttribute("href")).toBe("/orders");
  });

  it("speaks of no orders to who has none", () => {
    holds([]);
    guestOrders.drop("t");
    show(<CartPage />);

    expect(screen.queryByText(/your orders/)).toBeNull();
  });
});
