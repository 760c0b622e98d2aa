import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { features } from "../src/api/boot";
import { session } from "../src/api/session";
import CheckoutPage from "../src/checkout/CheckoutPage";
import { guestOrders } from "../src/orders/guestOrders";
import { anOrder, answerWith, json, show } from "./page";

const QUOTE = {
  lines: [
    {
      product: 41,
      number: 1,
      name: "Kettle",
      seller: "amina",
      price: 1500,
      amount: 1500,
      available: true,
      problem: null,
    },
  ],
  parcels: [],
  goods: 1500,
  delivery_fee: 0,
  amount: 1500,
  days: null,
  problems: [],
};

beforeEach(() => {
  session.end();
  features.guest_checkout = true;
  for (const { token } of guestOrders.all()) guestOrders.drop(token);
  const line = { id: 41, number: 1, price: 1500, name: "Kettle", thumbnail: null };
  localStorage.setItem("cart", JSON.stringify([line]));
  dispatchEvent(new StorageEvent("storage", { key: "cart" }));
});

function checkOut(answers: Record<string, unknown> = {}) {
  const asked = answerWith({
    "POST /cart/quote/": QUOTE,
    "GET /counties/": [{ key: "nairobi", name: "Nairobi City" }],
    ...answers,
  });
  show(<CheckoutPage />, { at: "/checkout", path: "/checkout" });
  return asked;
}

const type = (label: string, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });

async function pay() {
  const button = await screen.findByRole("button", { name: /^Pay KES\s1,500 with M-Pesa$/ });
  await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
  fireEvent.click(button);
}

const requestsTo = (asked: ReturnType<typeof answerWith>, path: string) =>
  asked.mock.calls
    .map(([request]) => request as Request)
    .filter((request) => new URL(request.url).pathname === path);

describe("cashing out without an account", () => {
  it("asks for no account, and says how to use one", async () => {
    const asked = checkOut();

    await screen.findByText(/No account needed/);
    const link = screen.getByRole("link", { name: /Have one\? Sign in/ });
    expect(link.getAttribute("href")).toBe("/sign-in?to=/checkout");
    await waitFor(() => expect(requestsTo(asked, "/cart/quote/")).not.toEqual([]));
    expect(requestsTo(asked, "/account/addresses/")).toEqual([]);
    expect(requestsTo(asked, "/user/")).toEqual([]);
  });

  it("sends the phone that pays without a token, and keeps the order's here", async () => {
    const asked = checkOut({ "POST /cashout/": json(anOrder(), 201) });
    await screen.findByText(/No account needed/);
    type("M-Pesa number", "0712 345 678");
    await pay();

    expect(await screen.findByText("elsewhere")).toBeTruthy();
    const [request] = requestsTo(asked, "/cashout/");
    expect(request?.headers.get("Authorization")).toBeNull();
    expect(request?.headers.get("Idempotency-Key")).toBeTruthy();
    expect(await request?.clone().json()).toMatchObject({ mpesa_number: "0712 345 678" });
    expect(guestOrders.all()).toEqual([{ token: anOrder().order_token, phone: "0712 345 678" }]);
  });

  it("keeps the number that was typed, through a reload, until it is ordered with", async () => {
    checkOut({ "POST /cashout/": json(anOrder(), 201) });
    await screen.findByText(/No account needed/);
    const typed = { target: { value: "0712 345 678" } };
    fireEvent.input(screen.getByLabelText("M-Pesa number"), typed);
    cleanup();
    checkOut({ "POST /cashout/": json(anOrder(), 201) });
    await screen.findByText(/No account needed/);
    expect(screen.getByLabelText<HTMLInputElement>("M-Pesa number").value).toBe("0712 345 678");
    await pay();

    await screen.findByText("elsewhere");
    expect(sessionStorage.getItem("mpesa_number")).toBeNull();
  });

  it("brings it to a place that is written out, and keeps no address", async () => {
    const asked = checkOut({ "POST /cashout/": json(anOrder(), 201) });
    fireEvent.click(await screen.findByRole("radio", { name: /Deliver to an address/ }));
    await screen.findByRole("option", { name: "Nairobi City" });
    expect(screen.queryByRole("checkbox", { name: /Save this address/ })).toBeNull();
    type("Recipient's name", "Wanjiku");
    type("Recipient's phone", "0712345678");
    type("County", "nairobi");
    type("Town, estate or street", "Kilimani");
    type("M-Pesa number", "0712345678");
    await pay();

    await waitFor(() => expect(requestsTo(asked, "/cashout/")).toHaveLength(1));
    expect(await requestsTo(asked, "/cashout/")[0]?.clone().json()).toMatchObject({
      delivery: { recipient: "Wanjiku", county: "nairobi", area: "Kilimani" },
    });
    expect(requestsTo(asked, "/account/addresses/")).toEqual([]);
  });

  it("is the same order again after a reload before its answer came", async () => {
    const body = { order: [], mpesa_number: "0712345678" };
    const attempt = { key: "k".repeat(32), body, at: Date.now(), buyer: 0 };
    sessionStorage.setItem("checkout", JSON.stringify(attempt));
    const asked = checkOut({ "POST /cashout/": json(anOrder(), 201) });

    await waitFor(() => expect(requestsTo(asked, "/cashout/")).toHaveLength(1));
    const [request] = requestsTo(asked, "/cashout/");
    expect(request?.headers.get("Idempotency-Key")).toBe(attempt.key);
  });

  it.each([
    ["the page", false],
    ["the shop", true],
  ])("is not to be had where %s says so: people sign in", async (_, isOffered) => {
    features.guest_checkout = isOffered;
    checkOut({ "POST /cashout/": json({ detail: "x", code: "not_authenticated" }, 401) });
    if (isOffered) {
      await screen.findByText(/No account needed/);
      type("M-Pesa number", "0712345678");
      await pay();
    }

    expect(await screen.findByText("elsewhere")).toBeTruthy();
  });
});
