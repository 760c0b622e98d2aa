import { fireEvent, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Schemas } from "../src/api/client";
import { session } from "../src/api/session";
import { guestOrders } from "../src/orders/guestOrders";
import OrdersPage from "../src/orders/OrdersPage";
import { anOrder, answerWith, json, show } from "./page";

type Row = Schemas["OrderRowOutput"];

const USER = { pk: 9, username: "wanjiku", email: "", first_name: "", last_name: "" };

const aLine = (changes: Partial<Row["order"][number]> = {}): Row["order"][number] => ({
  id: 1,
  product: 41,
  name: "Kettle",
  number: 1,
  amount: 1500,
  reduced: 0,
  track_status: "shipping",
  thumbnail: null,
  seller: "amina",
  moves: [],
  code_tries: 5,
  can_report_problem: false,
  can_review: false,
  reviewed: false,
  reviewable_until: null,
  ...changes,
});

const aRow = (reference: string, changes: Partial<Row> = {}): Row => ({
  order_token: `token-of-${reference}`,
  reference,
  payment_status: "paid",
  amount: 1500,
  amount_due: 0,
  refund: 0,
  refunded: 0,
  created_at: "2026-11-24T08:15:00Z",
  expires_at: "2026-11-24T08:30:00Z",
  order: [aLine()],
  delivery: null,
  needs: [],
  ...changes,
});

function showOrders(answers: Record<string, unknown>) {
  const asked = answerWith(answers);
  show(<OrdersPage />, { at: "/orders", path: "/orders" });
  return asked;
}

const rowOf = async (reference: string) => {
  const [told] = await screen.findAllByText(new RegExp(`order ${reference}`));
  return within(told?.closest("li") as HTMLElement);
};

beforeEach(() => {
  for (const { token } of guestOrders.all()) guestOrders.drop(token);
  session.begin({ access: "a", access_expires_in: 3600 }, USER);
});

describe("the list of orders", () => {
  it("is one question, however many orders there are", async () => {
    const asked = showOrders({ "GET /orders/": [aRow("AAAA"), aRow("BBBB")] });

    await rowOf("BBBB");
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("has what waits for its buyer first, and the newest first in each part", async () => {
    showOrders({
      "GET /orders/": [
        aRow("AAAA", { needs: ["review"] }),
        aRow("BBBB", { payment_status: "requested", amount_due: 1500, needs: ["pay"] }),
        aRow("CCCC"),
        aRow("DDDD", { needs: ["confirm"] }),
        aRow("EEEE", { needs: ["answer"] }),
      ],
    });

    await screen.findByRole("heading", { name: "Needs your attention" });
    const shown = screen.getAllByText(/, order [A-E]{4}$/).map(({ textContent }) => textContent);
    expect(shown.map((text) => text?.slice(-4))).toEqual([
      ...["BBBB", "DDDD", "EEEE"],
      ...["AAAA", "CCCC"],
    ]);
  });

  it.each<[Partial<Row>, string, string]>([
    [{ payment_status: "requested", amount_due: 1100, needs: ["pay"] }, "Pay now", "pay"],
    [{ needs: ["answer", "confirm"] }, "Read the reply", "orders"],
    [{ needs: ["confirm"] }, "I received it", "orders"],
    [{ needs: ["review"] }, "Write a review", "orders"],
  ])("offers what its buyer can do: %j", async (changes, words, where) => {
    showOrders({ "GET /orders/": [aRow("AAAA", changes)] });

    const link = (await rowOf("AAAA")).getByRole("link", { name: `${words}, order AAAA` });
    expect(link.getAttribute("href")).toBe(`/${where}/token-of-AAAA`);
  });

  it.each<[Partial<Row>, RegExp]>([
    [{ refund: 300 }, /^KES.300 being refunded$/],
    [{ refund: 300, refunded: 100 }, /^KES.300 being refunded$/],
    [{ refund: 300, refunded: 300 }, /^KES.300 refunded$/],
  ])("says what goes back of an order: %j", async (changes, said) => {
    showOrders({ "GET /orders/": [aRow("AAAA", changes)] });

    expect((await rowOf("AAAA")).getByText(said)).toBeTruthy();
  });

  it("says what is still to pay, and until when", async () => {
    const unpaid = aRow("AAAA", {
      payment_status: "requested",
      amount_due: 1100,
      needs: ["pay"],
    });
    showOrders({ "GET /orders/": [unpaid] });

    expect((await rowOf("AAAA")).getByText("KES 1,100 by 11:30")).toBeTruthy();
  });

  it("names the first thing and counts the others, with each status once", async () => {
    const order = [
      aLine({ number: 2, name: "Pot", track_status: "delivered" }),
      aLine({ id: 2, track_status: "shipping" }),
      aLine({ id: 3, track_status: "shipping" }),
    ];
    showOrders({ "GET /orders/": [aRow("AAAA", { order })] });

    const row = await rowOf("AAAA");
    expect(row.getByRole("heading").textContent).toBe("2 × Pot and 2 more");
    expect(row.getByText("Delivered")).toBeTruthy();
    expect(row.getAllByText("On its way to you")).toHaveLength(1);
  });

  it("leaves out a need that it does not know", async () => {
    showOrders({ "GET /orders/": [aRow("AAAA", { needs: ["dance" as never] })] });

    expect((await rowOf("AAAA")).getAllByRole("link")).toHaveLength(1);
    expect(screen.queryByRole("heading", { name: "Needs your attention" })).toBeNull();
  });

  it("goes on where the shop's page ended", async () => {
    const link = '<http://h/orders/?cursor=abc>; rel="next"';
    const asked = showOrders({ "GET /orders/": json([aRow("AAAA")], 200, { Link: link }) });
    await rowOf("AAAA");
    fireEvent.click(screen.getByRole("button", { name: "Show more" }));

    await screen.findAllByText(/order AAAA/);
    const last = asked.mock.calls.at(-1)?.[0] as Request;
    expect(new URL(last.url).search).toBe("?cursor=abc");
  });

  it("is empty with a way on", async () => {
    showOrders({ "GET /orders/": [] });

    expect(await screen.findByText("No orders yet")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Browse products" })).toBeTruthy();
  });
});

describe("the list of orders, signed out", () => {
  beforeEach(() => session.end());

  it("asks to sign in where nothing was ordered here", async () => {
    const asked = showOrders({});

    expect(await screen.findByText("elsewhere")).toBeTruthy();
    expect(asked).not.toHaveBeenCalled();
  });

  it("has what was ordered here without an account, and how to sign in", async () => {
    const paid = anOrder({ payment_status: "paid", mpesa_number: "•••••••••678" });
    guestOrders.add({ token: paid.order_token, phone: "0712345678" });
    showOrders({ [`GET /cashout/${paid.order_token}/`]: paid });

    const row = await rowOf("ACDEFGHJ");
    expect(row.getByRole("link").getAttribute("href")).toBe(`/pay/${paid.order_token}`);
    expect(screen.getByRole("link", { name: /Sign in to see your orders/ })).toBeTruthy();
  });

  it("says how they get into the account of who has signed in since", async () => {
    const paid = anOrder({ payment_status: "paid", mpesa_number: "•••••••••678" });
    guestOrders.add({ token: paid.order_token, phone: "0712345678" });
    session.begin({ access: "a", access_expires_in: 3600 }, USER);
    showOrders({ [`GET /cashout/${paid.order_token}/`]: paid, "GET /orders/": [] });

    const link = await screen.findByRole("link", { name: "link the phone that paid" });
    expect(link.getAttribute("href")).toBe("/account");
    await rowOf("ACDEFGHJ");
    expect(screen.queryByText("No orders yet")).toBeNull();
  });

  it("forgets an order that is in somebody's account now", async () => {
    guestOrders.add({ token: "joined", phone: "0712345678" });
    showOrders({ "GET /cashout/joined/": json({ code: "not_authenticated" }, 401) });

    expect(await screen.findByText("elsewhere")).toBeTruthy();
    expect(guestOrders.all()).toEqual([]);
  });
});

describe("orders kept in this browser", () => {
  it("are the newest twenty, each once", () => {
    for (let at = 0; at < 25; at += 1) guestOrders.add({ token: `t${at}`, phone: "07" });
    guestOrders.add({ token: "t24", phone: "07" });

    expect(guestOrders.all().map(({ token }) => token)).toEqual(
      Array.from({ length: 20 }, (_, at) => `t${24 - at}`),
    );
  });

  it("leave with the phone that was proved, however it was written", () => {
    guestOrders.add({ token: "a", phone: "0712 345 678" });
    guestOrders.add({ token: "b", phone: "0799000111" });
    guestOrders.joined("+254712345678");

    expect(guestOrders.all().map(({ token }) => token)).toEqual(["b"]);
  });
});
