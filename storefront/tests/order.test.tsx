import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { Line, Order, TrackStory } from "../src/api/client";
import { guestOrders } from "../src/orders/guestOrders";
import OrderPage from "../src/orders/OrderPage";
import ProblemPage from "../src/problems/ProblemPage";
import type { Message } from "../src/problems/queries";
import { anOrder, answerWith, json, show } from "./page";

const TOKEN = anOrder().order_token;
const AT = { at: `/orders/${TOKEN}`, path: "/orders/:token" };

function aLine(changes: Partial<Line> = {}): Line {
  const [line] = anOrder().order;
  if (!line) throw new Error("no line");
  return { ...line, track_status: "paid", collection_code: "482913", moves: [], ...changes };
}

const aStory = (changes: Partial<TrackStory> = {}): TrackStory => ({
  id: 1,
  order_token: TOKEN,
  reference: "ACDEFGHJ",
  product: 41,
  name: "Kettle",
  avatar: null,
  number: 1,
  price: 1500,
  amount: 1500,
  reduced: 0,
  seller: "amina",
  track_status: "paid",
  payment_status: "paid",
  collection_code: "482913",
  created_at: "2026-11-24T08:15:00Z",
  updated_at: "2026-11-24T08:16:00Z",
  moves: [],
  code_tries: 5,
  can_report_problem: false,
  can_review: false,
  reviewed: false,
  reviewable_until: null,
  delivery: null,
  history: [{ track_status: "paid", by: "shop", at: "2026-11-24T08:16:00Z", note: "" }],
  problem: null,
  ...changes,
});

type Summary = NonNullable<TrackStory["problem"]>;
const aProblem = (changes: Partial<Summary> = {}): Summary => ({
  id: 31,
  kind: "damaged",
  state: "open",
  outcome: null,
  ended_by: null,
  refunded: 0,
  messages: 1,
  opened_at: "2026-11-24T08:15:00Z",
  closed_at: null,
  ...changes,
});

/** The order's page, with one line. */
function visit(line: Partial<Line>, story: Partial<TrackStory> = {}, order: Partial<Order> = {}) {
  return visitWith(
    { "GET /track/order/1/": aStory({ track_status: line.track_status ?? "paid", ...story }) },
    { payment_status: "paid", order: [aLine(line)], ...order },
  );
}

function visitWith(answers: Record<string, unknown>, order: Partial<Order>) {
  const asked = answerWith({ [`GET /cashout/${TOKEN}/`]: anOrder(order), ...answers });
  show(<OrderPage />, AT);
  return (path: string) =>
    asked.mock.calls
      .map(([it]) => it as Request)
      .find((it) => `${it.method} ${new URL(it.url).pathname}` === path);
}

describe("the buyer's order", () => {
  it("keeps the place while it is read", () => {
    answerWith({ [`GET /cashout/${TOKEN}/`]: new Promise(() => undefined) });
    show(<OrderPage />, AT);
    expect(screen.getByRole("heading", { name: "Your order" })).toBeTruthy();
    expect(document.querySelectorAll(".skeleton")).toHaveLength(2);
  });

  it("shows a failure with a way on", async () => {
    answerWith({ [`GET /cashout/${TOKEN}/`]: json({ detail: "no" }, 503) });
    show(<OrderPage />, AT);
    expect(await screen.findByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it("is that of its payment while its phone is not the account's", async () => {
    const paid = anOrder({ payment_status: "paid", mpesa_number: "•••••••••678" });
    guestOrders.add({ token: TOKEN, phone: "0712345678" });
    answerWith({ [`GET /cashout/${TOKEN}/`]: paid });
    show(<OrderPage />, AT);

    expect(await screen.findByText("elsewhere")).toBeTruthy();
    guestOrders.drop(TOKEN);
  });

  it("is nobody else's", async () => {
    answerWith({});
    show(<OrderPage />, AT);
    expect(await screen.findByText("Order not found")).toBeTruthy();
  });

  it("has the code in two halves, each digit read out", async () => {
    visit({});
    expect((await screen.findByLabelText("4 8 2 9 1 3")).textContent).toBe("482 913");
  });

  it("says that the code no longer works, and what to do then", async () => {
    visit({ track_status: "shipping", moves: ["delivered"] }, { code_tries: 0 });
    expect(await screen.findByText(/your code no longer works/)).toBeTruthy();
    expect(screen.queryByLabelText("4 8 2 9 1 3")).toBeNull();
    expect(screen.getByRole("button", { name: "I received it" })).toBeTruthy();
  });

  it("says what is still to come of its way", async () => {
    visit({ track_status: "fetched" });
    const way = await screen.findByRole("list", { name: "Order history" });
    const steps = [...way.querySelectorAll("li")].map((each) => each.textContent);
    expect(steps.slice(-2)).toEqual(["On its way to you (not yet)", "Delivered (not yet)"]);
  });

  it("offers no move that the shop would refuse", async () => {
    visit({ moves: [] });
    await screen.findByLabelText("4 8 2 9 1 3");
    expect(screen.queryByRole("button", { name: /Cancel|I received it/ })).toBeNull();
  });

  it("cancels once it was said what that means", async () => {
    const sent = visitWith(
      { "GET /track/order/1/": aStory(), "POST /track/1/move/": aStory() },
      { payment_status: "paid", order: [aLine({ moves: ["cancelled", "delivered"] })] },
    );
    fireEvent.click(await screen.findByRole("button", { name: "Cancel item" }));
    expect(screen.getByText(/KES.1,500 is refunded to the phone that paid/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Yes, cancel it" }));
    await waitFor(() => expect(sent("POST /track/1/move/")).toBeTruthy());
    expect(await sent("POST /track/1/move/")?.json()).toEqual({ to: "cancelled" });
  });

  it.each([
    ["cancelled", "refund_due", /^KES.1,500 is being refunded to the phone that paid/],
    ["refunded", "refunded", /^KES.1,500 was refunded to the phone that paid/],
  ] as const)(
    "says where the money of a %s line is",
    async (track_status, payment_status, said) => {
      visit({ track_status, collection_code: null }, {}, { payment_status, refund: 1500 });
      expect(await screen.findByText(said)).toBeTruthy();
    },
  );

  it("shows what went back, what is on its way, and what the line costs less", async () => {
    visit({ track_status: "delivered", reduced: 200 }, {}, { refund: 350, refunded: 150 });

    const row = async (name: string) => (await screen.findByText(name)).parentElement?.textContent;
    expect(await row("Refunded")).toMatch(/KES.150$/);
    expect(await row("Refund on its way")).toMatch(/KES.200$/);
    expect(screen.getByText(/^Price reduced by KES.200$/)).toBeTruthy();
  });

  it("shows no refunds where nothing goes back", async () => {
    visit({ track_status: "delivered" });
    await screen.findByText("Paid");
    expect(screen.queryByText(/Refund|reduced/)).toBeNull();
  });

  it("says once that all of the price goes back", async () => {
    visit({ track_status: "delivered" }, {}, { payment_status: "refunded", refund: 1500 });
    expect(await screen.findAllByText("Refunded")).toHaveLength(1);
    expect(screen.queryByText("Refund on its way")).toBeNull();
  });

  it.each([
    ["cancelled", /^KES.1,300 is being refunded to the phone that paid/],
    ["refunded", /^KES.1,300 was refunded to the phone that paid/],
  ] as const)(
    "says how much of a reduced line that is %s goes back",
    async (track_status, said) => {
      visit({ track_status, collection_code: null, reduced: 200 }, {}, { refund: 1500 });
      expect(await screen.findByText(said)).toBeTruthy();
    },
  );

  it.each([
    ["refund_due", 0, "Refund on its way"],
    ["refunded", 1000, "Refunded"],
  ] as const)(
    "says what came of an order that was not paid in full, and is %s",
    async (payment_status, refunded, label) => {
      visit(
        { track_status: "cancelled", collection_code: null },
        {},
        { payment_status, refund: 1000, refunded },
      );
      expect((await screen.findByText(label)).parentElement?.textContent).toMatch(/KES.1,000$/);
      expect(screen.getByText("Total").parentElement?.textContent).toMatch(/KES.1,500$/);
      expect(screen.queryByText(/to the phone that paid/)).toBeNull();
    },
  );

  it.each([
    ["expired", /^Placed [^,]+, \d\d:\d\d$/],
    ["cancelled", /^Placed [^,]+, \d\d:\d\d$/],
    ["paid", /^Placed .+, paid from 0712 345 678$/],
  ] as const)("says who paid only if somebody did: %s", async (payment_status, said) => {
    visit({ track_status: "cancelled", collection_code: null }, {}, { payment_status });
    expect(await screen.findByText(said)).toBeTruthy();
  });

  it("says what is left to go back before a reduced line is cancelled", async () => {
    visit({ moves: ["cancelled"], reduced: 200 });
    fireEvent.click(await screen.findByRole("button", { name: "Cancel item" }));
    expect(screen.getByText(/KES.1,300 is refunded to the phone that paid/)).toBeTruthy();
  });

  it.each([
    [{ can_report_problem: true }, "Report a problem (Kettle)"],
    [{ problem: aProblem() }, "View and reply (Kettle)"],
    [
      { problem: aProblem({ state: "closed", outcome: "reduced", refunded: 300 }) },
      "View messages (Kettle)",
    ],
  ])("leads to what is wrong with a line", async (story, name) => {
    visit({}, story);
    const link = await screen.findByRole("link", { name });
    expect(link.getAttribute("href")).toBe(`/orders/${TOKEN}/problem/1`);
  });

  it("says nothing of problems where there can be none", async () => {
    visit({ track_status: "delivered" });
    await screen.findByRole("list", { name: "Order history" });
    expect(screen.queryByRole("link", { name: /problem|reply|messages/i })).toBeNull();
  });
});

describe("a problem with what was bought", () => {
  const aMessage = (changes: Partial<Message> = {}): Message => ({
    id: 1,
    by: "buyer",
    text: "The lid is cracked.",
    decided: null,
    pictures: [],
    at: "2026-11-24T08:15:00Z",
    ...changes,
  });

  function look(story: Partial<TrackStory>, answers: Record<string, unknown> = {}) {
    const asked = answerWith({
      "GET /track/order/1/": aStory(story),
      "GET /track/1/problem/messages/": [aMessage()],
      ...answers,
    });
    show(<ProblemPage />, {
      at: `/orders/${TOKEN}/problem/1`,
      path: "/orders/:token/problem/:line",
    });
    return () =>
      asked.mock.calls.map(([it]) => it as Request).filter(({ method }) => method === "POST");
  }

  const report = async () => {
    fireEvent.click(await screen.findByLabelText("Damaged"));
    fireEvent.change(screen.getByLabelText("What happened?"), {
      target: { value: " The lid is cracked. " },
    });
    fireEvent.click(screen.getByRole("button", { name: "Report problem" }));
  };

  it("is reported with a picture, made small first", async () => {
    const posted = look(
      { can_report_problem: true },
      { "POST /track/1/problem/": json({ id: 31 }, 201) },
    );
    vi.stubGlobal("createImageBitmap", async () => ({ width: 4, height: 3, close() {} }));
    await screen.findByLabelText("Damaged");
    const photo = new File(["x".repeat(50)], "lid.png", { type: "image/png" });
    const chooser = document.querySelector("input[type=file]");
    fireEvent.change(chooser as Element, { target: { files: [photo] } });
    expect(await screen.findByRole("img", { name: "Picture 1" })).toBeTruthy();
    await report();
    await waitFor(() => expect(posted()).toHaveLength(1));
    const body = await posted()[0]?.clone().text();
    expect(body).toMatch(/name="kind"\r\n\r\ndamaged\r\n/);
    expect(body).toMatch(/name="text"\r\n\r\nThe lid is cracked\.\r\n/);
    expect(body?.match(/name="pictures"; filename=/g)).toHaveLength(1);
  });

  it("shows a sign for a picture that this browser cannot decode", async () => {
    look({ can_report_problem: true }, {});
    vi.stubGlobal("createImageBitmap", async () => {
      throw new DOMException("not decodable", "InvalidStateError");
    });
    await screen.findByLabelText("Damaged");
    const photo = new File(["x"], "lid.heic", { type: "image/heic" });
    const chooser = document.querySelector("input[type=file]");
    fireEvent.change(chooser as Element, { target: { files: [photo] } });

    await waitFor(() =>
      expect(screen.getByRole("img", { name: "Picture 1" }).className).toBe("nothing"),
    );
  });

  it("is the same report when it is pressed again after no answer", async () => {
    const posted = look(
      { can_report_problem: true },
      { "POST /track/1/problem/": new TypeError("no network") },
    );
    await report();
    await screen.findByText(/could not reach the shop|No answer came to that/);
    fireEvent.click(screen.getByRole("button", { name: "Report problem" }));
    await waitFor(() => expect(posted()).toHaveLength(2));
    const [first, second] = posted().map(({ headers }) => headers.get("Idempotency-Key"));
    expect(first).toBe(second);
  });

  it("is another report once the words were changed", async () => {
    const posted = look(
      { can_report_problem: true },
      { "POST /track/1/problem/": new TypeError("no network") },
    );
    await report();
    await screen.findByText(/could not reach the shop|No answer came to that/);
    fireEvent.change(screen.getByLabelText("What happened?"), { target: { value: "Bent." } });
    fireEvent.click(screen.getByRole("button", { name: "Report problem" }));
    await waitFor(() => expect(posted()).toHaveLength(2));
    const [first, second] = posted().map(({ headers }) => headers.get("Idempotency-Key"));
    expect(first).not.toBe(second);
  });

  it("stands a refusal on its field", async () => {
    const said = "Send at most 3 pictures at a time.";
    look(
      { can_report_problem: true },
      { "POST /track/1/problem/": json({ pictures: [said] }, 400) },
    );
    await report();
    expect(await screen.findByText(said)).toBeTruthy();
  });

  it("is talked about, with who said what", async () => {
    look(
      { problem: aProblem() },
      {
        "GET /track/1/problem/messages/": [
          aMessage(),
          aMessage({ id: 2, by: "seller", text: "Sorry." }),
          aMessage({ id: 3, by: "shop", text: "", decided: "returning" }),
        ],
      },
    );
    await screen.findByText("Sorry.");
    const said = within("Messages");
    expect(said.map((each) => each.querySelector("strong")?.textContent)).toEqual([
      "You",
      "The seller",
      "The shop",
    ]);
    expect(said[2]?.textContent).toContain("Return requested");
  });

  it("is withdrawn once it was said what that means", async () => {
    const posted = look(
      { problem: aProblem() },
      { "POST /track/1/problem/withdraw/": { id: 31, state: "closed" } },
    );
    fireEvent.click(await screen.findByRole("button", { name: "It is solved: close the problem" }));
    fireEvent.click(screen.getByRole("button", { name: "Yes, close it" }));
    await waitFor(() => expect(posted()).toHaveLength(1));
    expect(new URL(posted()[0]?.url ?? "").pathname).toBe("/track/1/problem/withdraw/");
  });

  it.each([
    ["refunded", 1500, "Full refund: KES\u00a01,500"],
    ["reduced", 300, "Part of the price is refunded: KES\u00a0300"],
    ["dismissed", 0, "Closed without a refund"],
  ] as const)("says how it ended: %s", async (outcome, refunded, said) => {
    look({ problem: aProblem({ state: "closed", outcome, refunded }) });
    expect((await screen.findByRole("status")).textContent).toContain(said);
    expect(screen.queryByLabelText("Your reply")).toBeNull();
    expect(screen.queryByRole("button", { name: /close the problem/ })).toBeNull();
  });

  it("may be reported again where it is still wrong", async () => {
    look({
      can_report_problem: true,
      problem: aProblem({ state: "closed", outcome: "reduced", refunded: 300 }),
    });
    fireEvent.click(await screen.findByRole("button", { name: "Still not solved" }));
    expect(screen.getByRole("button", { name: "Report problem" })).toBeTruthy();
  });

  it("is told when it is too late", async () => {
    look({});
    expect(await screen.findByText(/^You can report a problem once/)).toBeTruthy();
  });

  function within(name: string) {
    return [...screen.getByRole("list", { name }).querySelectorAll("li")];
  }
});
