import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import AddressesPage from "../src/account/AddressesPage";
import type { Order, Schemas } from "../src/api/client";
import { session } from "../src/api/session";
import type { CartLine } from "../src/cart/cart";
import CheckoutPage from "../src/checkout/CheckoutPage";
import PayPage from "../src/checkout/PayPage";
import type { Address, Quote } from "../src/delivery/queries";
import OrderPage from "../src/orders/OrderPage";
import { anOrder, answerWith, json, show } from "./page";

const POINT: Schemas["PickupPointOutput"] = {
  id: 3,
  name: "Kilimani Pick-up",
  county: "nairobi",
  county_name: "Nairobi City",
  area: "Argwings Kodhek Road",
  directions: "Beside the chemist",
  opening_hours: "Mon–Sat 8:00–19:00",
  phone: "254711000101",
};
const HOME: Address = {
  id: 41,
  label: "home",
  recipient: "Wanjiku Kamau",
  phone: "254712345678",
  county: "nairobi",
  county_name: "Nairobi City",
  area: "Kilimani",
  directions: "Blue gate",
  is_default: true,
  is_collection_place: false,
};
const DELIVERY: NonNullable<Order["delivery"]> = {
  way: "pickup",
  place: "Kilimani Pick-up, Argwings Kodhek Road, Nairobi City",
  pickup_point: 3,
  recipient: "Wanjiku Kamau",
  phone: "254712345678",
  county: "nairobi",
  county_name: "Nairobi City",
  area: "Kilimani Pick-up, Argwings Kodhek Road",
  directions: "Beside the chemist",
  opening_hours: "Mon–Sat 8:00–19:00",
  days: 1,
  fee: 150,
};
const COUNTIES = [
  { key: "turkana", name: "Turkana" },
  { key: "nairobi", name: "Nairobi City" },
];

const aLine = (changes: Partial<Quote["lines"][number]> = {}) => ({
  product: 41,
  number: 1,
  name: "Kettle",
  seller: "amina",
  price: 1500,
  amount: 1500,
  available: true,
  problem: null,
  ...changes,
});
const aProblem = (code: string, changes: Partial<Schemas["ProblemOutput"]> = {}) => ({
  code,
  message: "As the shop says it.",
  left: null,
  shown: null,
  ...changes,
});
const aQuote = (changes: Partial<Quote> = {}): Quote => ({
  lines: [aLine()],
  parcels: [],
  goods: 1500,
  delivery_fee: 0,
  amount: 1500,
  days: null,
  problems: [],
  ...changes,
});
const BROUGHT = aQuote({
  parcels: [{ seller: "amina", goods: 1500, fee: 150, free_above: 5000, days: 1 }],
  delivery_fee: 150,
  amount: 1650,
  days: 1,
});

/** Somebody is signed in, and has a kettle in the cart. */
beforeEach(() => {
  // A token that outlives the test: nothing is renewed.
  const claims = btoa(JSON.stringify({ iat: 0, exp: 3600 }));
  session.begin(
    { access: `x.${claims}.x`, refresh: "r" },
    { pk: 9, username: "wanjiku", email: "", first_name: "Wanjiku", last_name: "Kamau" },
  );
  holds([{ id: 41, number: 1, price: 1500, name: "Kettle", thumbnail: null }]);
});

/** As another tab leaves it. */
function holds(lines: CartLine[]): void {
  localStorage.setItem("cart", JSON.stringify(lines));
  dispatchEvent(new StorageEvent("storage", { key: "cart" }));
}

type Sent = { method: string; path: string; body: Record<string, unknown> | null };

/** Show cash-out; a quote that brings something answers `brought`. */
function checkOut(answers: Record<string, unknown> = {}, brought: unknown = BROUGHT) {
  const sent: Sent[] = [];
  const fake = answerWith({
    "GET /counties/": COUNTIES,
    "GET /pickup-points/": [POINT],
    "GET /account/addresses/": [],
    "GET /user/": { pk: 9, first_name: "Wanjiku", last_name: "Kamau", phone: "254712345678" },
    "POST /cart/quote/": aQuote(),
    ...answers,
  });
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname;
    const body = request.method === "GET" ? null : await request.clone().json();
    sent.push({ method: request.method, path, body });
    if (path === "/cart/quote/" && body.delivery) {
      return json(await brought);
    }
    return (fake as unknown as typeof fetch)(request);
  });
  show(<CheckoutPage />, { at: "/checkout", path: "/checkout" });
  return {
    sent,
    to: (path: string) => sent.filter((each) => each.path === path && each.method === "POST"),
  };
}

const radio = (name: RegExp) => screen.findByRole("radio", { name });
const press = async (name: string | RegExp) => {
  const button = await screen.findByRole("button", { name });
  await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
  fireEvent.click(button);
};
const type = (label: string, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
const REFUSED = json({ detail: "x", code: "busy" }, 400);

async function choosePoint() {
  fireEvent.click(await radio(/pick-up point/));
  await screen.findByRole("option", { name: "Turkana" });
  fireEvent.change(screen.getByLabelText("County"), { target: { value: "nairobi" } });
  fireEvent.click(await radio(/Kilimani Pick-up/));
}

describe("where an order goes", () => {
  it("is arranged with the seller unless another way is chosen: nothing is sent about it", async () => {
    const { to } = checkOut({ "POST /cashout/": REFUSED });
    const seller = await radio(/^Arrange with the seller/);
    expect((seller as HTMLInputElement).checked).toBe(true);

    await press(/^Pay KES\s1,500 with M-Pesa$/);

    await waitFor(() => expect(to("/cashout/")).toHaveLength(1));
    expect(to("/cashout/")[0]?.body).toEqual({
      order: [{ product: 41, number: 1, price: 1500 }],
      amount: 1500,
      mpesa_number: "0712 345 678",
    });
  });

  it("is a pick-up point, with its hours and phone; fee, days and sum are seen before paying", async () => {
    const { to } = checkOut({ "POST /cashout/": REFUSED });
    await choosePoint();

    expect(screen.getByText("Open: Mon–Sat 8:00–19:00")).toBeTruthy();
    expect(screen.getByText("0711 000 101")).toBeTruthy();
    expect(await screen.findByText("Delivery from amina")).toBeTruthy();
    expect(screen.getByText("KES 150")).toBeTruthy();
    expect(screen.getByText("Free delivery from this seller over KES 5,000.")).toBeTruthy();
    expect(screen.getByText("Delivery: KES 150. Arrives within 1 day of payment.")).toBeTruthy();
    await press(/^Pay KES\s1,650 with M-Pesa$/);

    await waitFor(() => expect(to("/cashout/")).toHaveLength(1));
    expect(to("/cashout/")[0]?.body).toMatchObject({
      amount: 1650,
      delivery: { pickup_point: 3, fee: 150 },
    });
  });

  it("has to be chosen before it is paid", async () => {
    const { to } = checkOut();
    fireEvent.click(await radio(/pick-up point/));

    await press("Pay with M-Pesa");

    expect(await screen.findByText("Choose a county.")).toBeTruthy();
    expect(to("/cashout/")).toEqual([]);
  });

  it("says where a county has no point", async () => {
    checkOut({ "GET /pickup-points/": [] });
    fireEvent.click(await radio(/pick-up point/));
    await screen.findByRole("option", { name: "Turkana" });
    fireEvent.change(screen.getByLabelText("County"), { target: { value: "turkana" } });

    expect(await screen.findByText(/No pick-up points in this county yet/)).toBeTruthy();
  });

  it("is one of their addresses", async () => {
    const { to } = checkOut({ "GET /account/addresses/": [HOME], "POST /cashout/": REFUSED });
    fireEvent.click(await radio(/home: Kilimani, Nairobi City/));

    await press(/^Pay KES\s1,650 with M-Pesa$/);

    await waitFor(() => expect(to("/cashout/")).toHaveLength(1));
    expect(to("/cashout/")[0]?.body?.delivery).toEqual({ address: 41, fee: 150 });
  });

  it("is a new address, which is kept first and then ordered to", async () => {
    const { to } = checkOut({ "POST /account/addresses/": HOME, "POST /cashout/": REFUSED });
    fireEvent.click(await radio(/Deliver to an address/));
    await screen.findByDisplayValue("Wanjiku Kamau");
    await screen.findByRole("option", { name: "Nairobi City" });
    fireEvent.change(screen.getByLabelText("County"), { target: { value: "nairobi" } });
    type("Town, estate or street", "Kilimani");

    await press(/^Pay KES\s1,650 with M-Pesa$/);

    await waitFor(() => expect(to("/cashout/")).toHaveLength(1));
    expect(to("/account/addresses/")[0]?.body).toEqual({
      recipient: "Wanjiku Kamau",
      phone: "0712 345 678",
      county: "nairobi",
      area: "Kilimani",
      directions: "",
    });
    expect(to("/cashout/")[0]?.body?.delivery).toEqual({ address: 41, fee: 150 });
  });

  it("is a new address for once", async () => {
    const { to } = checkOut({ "POST /cashout/": REFUSED });
    fireEvent.click(await radio(/Deliver to an address/));
    await screen.findByDisplayValue("Wanjiku Kamau");
    await screen.findByRole("option", { name: "Nairobi City" });
    fireEvent.click(screen.getByLabelText("Save this address"));
    fireEvent.change(screen.getByLabelText("County"), { target: { value: "nairobi" } });
    type("Town, estate or street", "Kilimani");

    await press(/^Pay KES\s1,650 with M-Pesa$/);

    await waitFor(() => expect(to("/cashout/")).toHaveLength(1));
    expect(to("/account/addresses/")).toEqual([]);
    expect(to("/cashout/")[0]?.body?.delivery).toEqual({
      recipient: "Wanjiku Kamau",
      phone: "0712 345 678",
      county: "nairobi",
      area: "Kilimani",
      directions: "",
      fee: 150,
    });
  });

  it("keeps the number that was typed before the account's own arrived", async () => {
    let arrive: (user: unknown) => void = () => {};
    checkOut({ "GET /user/": new Promise((resolve) => (arrive = resolve)) });
    const number = () => screen.getByLabelText("M-Pesa number") as HTMLInputElement;
    await screen.findByLabelText("M-Pesa number");
    fireEvent.input(number(), { target: { value: "0733000111" } });

    arrive({ pk: 9, first_name: "Wanjiku", last_name: "Kamau", phone: "254712345678" });
    await new Promise((later) => setTimeout(later, 50));

    expect(number().value).toBe("0733000111");
  });

  it("names each part of a new address that is missing", async () => {
    checkOut({ "GET /user/": { pk: 9, first_name: "", last_name: "", phone: "" } });
    fireEvent.click(await radio(/Deliver to an address/));
    type("M-Pesa number", "0712345678");

    await press("Pay with M-Pesa");

    for (const words of [
      "Enter the recipient's name.",
      "Enter a Kenyan mobile number, like 0712 345 678.",
      "Choose a county.",
      "Enter the town, estate or street.",
    ]) {
      expect(await screen.findByText(words)).toBeTruthy();
    }
  });

  it("stands the API's refusal on its field", async () => {
    const said = "Kilimani Pick-up is not accepting parcels at the moment. Choose another point.";
    checkOut({ "POST /cashout/": json({ delivery: { pickup_point: [said] } }, 400) });
    await choosePoint();

    await press(/^Pay KES\s1,650 with M-Pesa$/);

    const points = await screen.findByRole("group", { name: "Pick-up point" });
    expect(await within(points).findByText(said)).toBeTruthy();
  });

  it("cannot be paid where nothing is brought", async () => {
    const problems = [aProblem("no_rate")];
    checkOut({}, aQuote({ problems, delivery_fee: null, amount: null }));
    await choosePoint();

    expect(await screen.findByText(/We do not deliver there yet/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Pay with M-Pesa" }).hasAttribute("disabled")).toBe(
      true,
    );
  });

  it("cannot be paid while the shop has not said what that costs", async () => {
    let answer: (quote: Quote) => void = () => undefined;
    checkOut(
      {},
      new Promise<Quote>((resolve) => {
        answer = resolve;
      }),
    );
    await screen.findByRole("button", { name: /^Pay KES\s1,500 with M-Pesa$/ });
    await choosePoint();
    expect(screen.getByRole("button", { name: /^Pay/ }).hasAttribute("disabled")).toBe(true);

    answer(BROUGHT);

    await press(/^Pay KES\s1,650 with M-Pesa$/);
  });

  it("cannot be changed while the order is placed", async () => {
    checkOut({ "POST /cashout/": new Promise(() => undefined) });

    await press(/^Pay KES\s1,500 with M-Pesa$/);

    await screen.findByText("Placing your order…");
    const group = screen.getByRole("group", { name: "Delivery" });
    expect(group.hasAttribute("disabled")).toBe(true);
  });

  it("is as it was chosen after a reload, so that one press stays one order", async () => {
    checkOut();
    await choosePoint();
    await screen.findByText("Delivery from amina");
    cleanup();

    checkOut();

    expect(((await radio(/Kilimani Pick-up/)) as HTMLInputElement).checked).toBe(true);
  });

  it("shows the new fee where it is another one than was shown, and charges nothing", async () => {
    const now = { detail: "x", code: "price_changed", amount: 1700, delivery_fee: 200, order: [] };
    checkOut({ "POST /cashout/": json(now, 409) });
    await choosePoint();

    await press(/^Pay KES\s1,650 with M-Pesa$/);

    expect(
      await screen.findByText(/The new total is KES 1,700\. You have not ordered yet/),
    ).toBeTruthy();
  });
});

describe("what a quote says about a line", () => {
  it.each([
    ["not_for_sale", {}, "No longer available."],
    ["sold_out", { left: 0 }, "Sold out."],
    ["short", { left: 2 }, "Only 2 left."],
    ["own_goods", {}, "This is your own listing."],
    ["something_new", {}, "As the shop says it."],
  ])("%s: on the line, and it cannot be paid", async (code, more, words) => {
    const line = aLine({ available: false, problem: aProblem(code, more) });
    checkOut({ "POST /cart/quote/": aQuote({ lines: [line], goods: 0, amount: 0 }) });

    expect(await screen.findByText(words)).toBeTruthy();
    const pay = screen.getByRole("button", { name: "Pay with M-Pesa" });
    expect(pay.hasAttribute("disabled")).toBe(true);
    expect(screen.getByRole("link", { name: "View cart" })).toBeTruthy();
  });

  it("price_changed: the old and the new one, and the new one is paid", async () => {
    const problem = aProblem("price_changed", { shown: 1500 });
    const line = aLine({ price: 1900, amount: 1900, problem });
    checkOut({ "POST /cart/quote/": aQuote({ lines: [line], goods: 1900, amount: 1900 }) });

    expect(
      await screen.findByText("The price has changed from KES 1,500 to KES 1,900."),
    ).toBeTruthy();
    expect(screen.getByRole("button", { name: /^Pay KES\s1,900 with M-Pesa$/ })).toBeTruthy();
  });
});

describe("an order that is brought", () => {
  const order = (changes: Partial<Order> = {}) =>
    anOrder({ amount: 1650, delivery: DELIVERY, delivery_fee: 150, ...changes });

  it("says on the pay page where it goes, when that is open, and what bringing it costs", async () => {
    const shown = order();
    answerWith({ [`GET /cashout/${shown.order_token}/`]: shown });
    show(<PayPage />, { at: `/pay/${shown.order_token}`, path: "/pay/:token" });

    expect(await screen.findByText(DELIVERY.place)).toBeTruthy();
    expect(screen.getByText("Open: Mon–Sat 8:00–19:00")).toBeTruthy();
    expect(screen.getByText("For Wanjiku Kamau, 0712 345 678")).toBeTruthy();
    expect(screen.getByText("KES 150")).toBeTruthy();
  });

  it("says on its own page that it waits at the point", async () => {
    const [line] = anOrder().order;
    if (!line) throw new Error("no line");
    const shown = order({
      payment_status: "paid",
      order: [{ ...line, track_status: "shipping", collection_code: "482913" }],
    });
    const step = (track_status: string, by: string, at: number, note = "") => ({
      track_status,
      by,
      at: `2026-11-28T0${at}:00:00Z`,
      note,
    });
    answerWith({
      [`GET /cashout/${shown.order_token}/`]: shown,
      "GET /track/order/": [],
      "GET /track/order/1/": {
        delivery: DELIVERY,
        history: [
          step("paid", "shop", 5),
          step("shipping", "agent", 6),
          step("shipping", "shop", 7, "The parcel is waiting at the pick-up point."),
        ],
      },
    });
    show(<OrderPage />, { at: `/orders/${shown.order_token}`, path: "/orders/:token" });

    expect(await screen.findByText("Ready to collect at the pick-up point")).toBeTruthy();
    expect(screen.getAllByText("On its way to you")).toHaveLength(2);
    expect(screen.getAllByText("Open: Mon–Sat 8:00–19:00")).toHaveLength(2);
  });

  it("says so where buyer and seller arrange it", async () => {
    const shown = anOrder({ payment_status: "paid" });
    answerWith({ [`GET /cashout/${shown.order_token}/`]: shown, "GET /track/order/": [] });
    show(<OrderPage />, { at: `/orders/${shown.order_token}`, path: "/orders/:token" });

    expect(await screen.findByText(/You and the seller arrange/)).toBeTruthy();
  });
});

describe("the page of one's addresses", () => {
  const SHOP: Address = { ...HOME, id: 42, label: "shop", area: "Gikomba", is_default: false };
  const visit = (addresses: Address[], more: Record<string, unknown> = {}) => {
    const asked = answerWith({
      "GET /counties/": COUNTIES,
      "GET /account/addresses/": addresses,
      "GET /user/": { pk: 9, first_name: "Wanjiku", last_name: "Kamau", phone: "254712345678" },
      ...more,
    });
    show(<AddressesPage />);
    return async (method: string) => {
      const found = () =>
        asked.mock.calls.map(([it]) => it as Request).find((it) => it.method === method);
      await waitFor(() => expect(found()).toBeTruthy());
      const request = found() as Request;
      return { path: new URL(request.url).pathname, text: await request.clone().text() };
    };
  };

  it("is empty at first, and takes a new one", async () => {
    const sent = visit([], { "POST /account/addresses/": HOME });
    expect(await screen.findByText("No saved addresses")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Add an address" }));
    await screen.findByDisplayValue("0712 345 678");
    await screen.findByRole("option", { name: "Nairobi City" });
    fireEvent.change(screen.getByLabelText("County"), { target: { value: "nairobi" } });
    type("Town, estate or street", "Kilimani");

    fireEvent.click(screen.getByRole("button", { name: "Save address" }));

    expect(JSON.parse((await sent("POST")).text)).toMatchObject({
      recipient: "Wanjiku Kamau",
      county: "nairobi",
      area: "Kilimani",
    });
  });

  it("makes another one the first choice", async () => {
    const sent = visit([HOME, SHOP], { "PATCH /account/addresses/42/": SHOP });
    expect(await screen.findByText("Default")).toBeTruthy();

    fireEvent.click(screen.getByRole("button", { name: "Make default" }));

    expect(await sent("PATCH")).toEqual({
      path: "/account/addresses/42/",
      text: '{"is_default":true}',
    });
  });

  it("deletes one once that was asked again", async () => {
    const sent = visit([HOME], {
      "DELETE /account/addresses/41/": new Response(null, { status: 204 }),
    });
    fireEvent.click(await screen.findByRole("button", { name: "Delete" }));
    fireEvent.click(screen.getByRole("button", { name: "Yes, delete it" }));

    expect((await sent("DELETE")).path).toBe("/account/addresses/41/");
  });

  it("stands a refusal of the shop on its field", async () => {
    const said = "This text has signs that cannot be shown.";
    visit([HOME], { "PATCH /account/addresses/41/": json({ area: [said] }, 400) });
    fireEvent.click(await screen.findByRole("button", { name: "Edit" }));
    fireEvent.click(screen.getByRole("button", { name: "Save address" }));

    expect(await screen.findByText(said)).toBeTruthy();
  });

  it("takes no eleventh", async () => {
    visit(Array.from({ length: 10 }, (_, id) => ({ ...HOME, id: id + 1, is_default: id === 0 })));

    expect(await screen.findByText(/reached the address limit/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Add an address" })).toBeNull();
  });
});
