import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import AccountPage from "../src/account/AccountPage";
import { session } from "../src/api/session";
import type { LineProblem } from "../src/problems/queries";
import { countyName } from "../src/selling/labels";
import MoneyPage from "../src/selling/MoneyPage";
import ProblemsPage from "../src/selling/ProblemsPage";
import type { Payout, Sale } from "../src/selling/queries";
import SalesPage from "../src/selling/SalesPage";
import { answerWith, json, show } from "./page";

const aSale = (changes: Partial<Sale> = {}): Sale => ({
  id: 512,
  order: "PR7KWQ4M",
  reference: "PR7KWQ4M",
  product: 41,
  name: "Kettle",
  thumbnail: null,
  number: 2,
  price: 1850,
  amount: 3700,
  reduced: 0,
  track_status: "paid",
  buyer: "Wanjiku",
  phone: "254712345678",
  county: "nairobi",
  delivery: { way: "pickup", pickup_point: "Kilimani Pick-up" },
  created_at: "2026-11-24T08:15:00Z",
  updated_at: "2026-11-24T08:16:00Z",
  moves: ["cancelled"],
  code_tries: 5,
  ...changes,
});

const aPayout = (changes: Partial<Payout> = {}): Payout => ({
  id: 17,
  status: "refused",
  amount: 1500,
  kept_back: 0,
  mpesa_number: "254722000001",
  number: "",
  lines: [512],
  reason: "The receiver is not registered.",
  created_at: "2026-11-24T08:15:00Z",
  done_at: null,
  ...changes,
});

const aProblem = (changes: Partial<LineProblem> = {}): LineProblem => ({
  id: 31,
  kind: "damaged",
  state: "open",
  outcome: null,
  ended_by: null,
  refunded: 0,
  messages: 1,
  opened_at: "2026-11-24T08:15:00Z",
  closed_at: null,
  track: 512,
  order: "PR7KWQ4M",
  product: 41,
  name: "Kettle",
  number: 1,
  amount: 1850,
  reduced: 0,
  track_status: "delivered",
  ...changes,
});

const BALANCE = { owed: 4150, on_its_way: 1500, waiting: 800, held: 1850 };

/** The API, which also keeps what was sent. */
function api(answers: Record<string, unknown>) {
  const sent: { path: string; body: unknown; query: string }[] = [];
  const answer = answerWith({ "GET /seller/orders/": [], "GET /seller/problems/": [], ...answers });
  vi.stubGlobal("fetch", async (request: Request) => {
    const copy = request.clone();
    const { pathname, search } = new URL(request.url);
    const text = await copy.text();
    sent.push({
      path: `${request.method} ${pathname}`,
      query: search,
      body: text && JSON.parse(text),
    });
    return answer(request);
  });
  return sent;
}

describe("what is to be handed over", () => {
  it("has the goods, the buyer's phone and where they go", async () => {
    api({ "GET /seller/orders/": [aSale()] });
    show(<SalesPage />);
    expect(await screen.findByRole("heading", { name: "2 × Kettle" })).toBeTruthy();
    expect(screen.getByText("KES 3,700")).toBeTruthy();
    expect(screen.getByText("Wanjiku")).toBeTruthy();
    expect(screen.getByRole("link", { name: "0712\u00a0345\u00a0678" }).getAttribute("href")).toBe(
      "tel:+254712345678",
    );
    expect(screen.getByText("Pick-up point Kilimani Pick-up, Nairobi")).toBeTruthy();
    expect(screen.getByText("Paid: prepare it")).toBeTruthy();
  });

  it.each([
    ["to an address", { delivery: { way: "home", pickup_point: null } }, "An address in Nairobi"],
    ["as they agree", { delivery: null, county: null }, "Arranged with the buyer"],
    ["for somebody without a name", { buyer: "customer" }, "Guest customer"],
  ] as const)("says what goes %s", async (_, changes, said) => {
    api({ "GET /seller/orders/": [aSale(changes as Partial<Sale>)] });
    show(<SalesPage />);
    expect(await screen.findByText(said)).toBeTruthy();
  });

  it.each([
    ["an agent comes for it", {}, /the delivery agent collects it/, /call the buyer/],
    ["nobody does", { delivery: null }, /call the buyer/, /the delivery agent collects it/],
  ] as const)("says what to do with paid goods where %s", async (_, changes, said, unsaid) => {
    api({ "GET /seller/orders/": [aSale(changes as Partial<Sale>)] });
    show(<SalesPage />);
    expect(await screen.findByText(said)).toBeTruthy();
    expect(screen.queryByText(unsaid)).toBeNull();
  });

  it.each([
    ["paid", "Paid: prepare it", ["cancelled"], false, true],
    ["fetched", "Collected from you", ["delivered"], true, false],
    ["shipping", "On its way to the buyer", ["delivered"], true, false],
    ["delivered", "Delivered", [], false, false],
    ["cancelled", "Cancelled", [], false, false],
    ["refunded", "Cancelled and refunded", [], false, false],
    ["created", "Not paid yet", [], false, false],
  ] as const)(
    "offers for %s goods what can be done",
    async (track_status, said, may, code, cancel) => {
      api({ "GET /seller/orders/": [aSale({ track_status, moves: [...may] })] });
      show(<SalesPage />);
      await screen.findByRole("heading", { name: "2 × Kettle" });
      expect(document.querySelector(".tag")?.textContent).toBe(said);
      expect(screen.queryByLabelText("The buyer's code") !== null).toBe(code);
      expect(screen.queryByRole("button", { name: /^I cannot deliver/ }) !== null).toBe(cancel);
    },
  );

  it("says that nothing waits", async () => {
    api({});
    show(<SalesPage />);
    expect(await screen.findByText("Nothing to hand over")).toBeTruthy();
  });

  it("shows a failure with a way on", async () => {
    api({ "GET /seller/orders/": json({ detail: "no" }, 503) });
    show(<SalesPage />);
    expect(await screen.findByText("The shop is very busy. Try again in a moment.")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it("asks for one status where a tab names it, and for none of its own making", async () => {
    const sent = api({});
    show(<SalesPage />, { at: "/?status=delivered" });
    await screen.findByText("Nothing here");
    const asked = sent.filter(({ path }) => path === "GET /seller/orders/");
    expect(asked.map(({ query }) => query)).toEqual(["?status=delivered"]);
    expect(screen.getByRole("link", { name: "Delivered", current: "page" })).toBeTruthy();
  });

  it("tells of an undecided problem, with the way to it", async () => {
    api({ "GET /seller/problems/": [aProblem()] });
    show(<SalesPage />);
    const link = await screen.findByRole("link", { name: "View and reply" });
    expect(link.getAttribute("href")).toBe("/selling/problems");
  });

  it("says nothing of problems that are decided", async () => {
    api({ "GET /seller/problems/": [aProblem({ state: "closed", outcome: "dismissed" })] });
    show(<SalesPage />);
    await screen.findByText("Nothing to hand over");
    expect(screen.queryByRole("link", { name: "View and reply" })).toBeNull();
  });
});

describe("the order an e-mail named", () => {
  it("is marked and scrolled to, and it alone", async () => {
    const scrolled = vi.spyOn(Element.prototype, "scrollIntoView");
    api({
      "GET /seller/orders/": [
        aSale({ id: 1, order: "AAAAAAAA" }),
        aSale({ id: 2 }),
        aSale({ id: 3, name: "Pot" }),
      ],
    });
    show(<SalesPage />, { at: "/?order=PR7KWQ4M" });
    expect(await screen.findAllByText("This is the order in your notification.")).toHaveLength(2);
    expect(scrolled.mock.contexts).toEqual([document.querySelector(".marked")]);
    scrolled.mockRestore();
  });

  it("is looked for on the next page too", async () => {
    const next = '<http://localhost/seller/orders/?cursor=abc>; rel="next"';
    const first = json([aSale({ id: 1, order: "AAAAAAAA" })], 200, { Link: next });
    const answer = answerWith({ "GET /seller/problems/": [] });
    vi.stubGlobal("fetch", async (request: Request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname !== "/seller/orders/") return answer(request);
      return searchParams.get("cursor") === "abc" ? json([aSale()]) : first.clone();
    });
    show(<SalesPage />, { at: "/?order=PR7KWQ4M" });
    expect(await screen.findByText("This is the order in your notification.")).toBeTruthy();
  });

  it("is said not to be there where it is not", async () => {
    api({ "GET /seller/orders/": [aSale({ order: "AAAAAAAA" })] });
    show(<SalesPage />, { at: "/?order=PR7KWQ4M" });
    expect(await screen.findByText(/^Order PR7KWQ4M is not in this list/)).toBeTruthy();
    expect(screen.getByRole("link", { name: "Delivered" }).getAttribute("href")).toBe(
      "/selling/orders?status=delivered&order=PR7KWQ4M",
    );
  });
});

describe("handing over by the buyer's code", () => {
  async function type(code: string, answer: unknown) {
    const sent = api({
      "GET /seller/orders/": [aSale({ track_status: "fetched", moves: ["delivered"] })],
      "POST /track/512/move/": answer,
    });
    show(<SalesPage />);
    fireEvent.change(await screen.findByLabelText("The buyer's code"), { target: { value: code } });
    fireEvent.click(screen.getByRole("button", { name: "Hand over" }));
    await waitFor(() => expect(sent.some(({ path }) => path.startsWith("POST"))).toBe(true));
    return sent;
  }

  it("sends the digits as they were read out, and says that it is done", async () => {
    const sent = await type("482 913", { id: 512 });
    expect(await screen.findByText("Handed over: Kettle.")).toBeTruthy();
    expect(sent.find(({ path }) => path === "POST /track/512/move/")?.body).toEqual({
      to: "delivered",
      code: "482913",
    });
    const lists = () => sent.filter(({ path }) => path === "GET /seller/orders/");
    await waitFor(() => expect(lists()).toHaveLength(2));
  });

  it.each([
    [
      "wrong",
      { code: ["This is not the buyer's code. Check it and try again."] },
      400,
      "This is not the buyer's code. Check it and try again.",
    ],
    [
      "used up",
      {
        code: [
          "Too many wrong codes were entered. The buyer or the shop must confirm delivery instead.",
        ],
      },
      400,
      "Too many wrong codes were entered. The buyer or the shop must confirm delivery instead.",
    ],
    [
      "for goods that have moved on",
      { detail: "It is delivered: there is nothing you can do.", code: "move_not_allowed" },
      409,
      "It is delivered: there is nothing you can do.",
    ],
    [
      "for a payment in doubt",
      { detail: "The payment is being looked into.", code: "payment_in_doubt" },
      409,
      "The payment is being looked into.",
    ],
  ])("says plainly that a code is %s", async (_, body, status, said) => {
    await type("111111", json(body, status));
    expect((await screen.findByRole("alert")).textContent).toBe(said);
  });
});

describe("how many codes a seller can still try", () => {
  it.each([
    [5, null],
    [2, /A wrong code was entered before. 2 tries are left.$/],
    [1, /A wrong code was entered before. 1 try is left.$/],
  ])("is said before the next one: %i", async (code_tries, said) => {
    const moves = ["delivered"] as const;
    api({
      "GET /seller/orders/": [aSale({ track_status: "fetched", moves: [...moves], code_tries })],
    });
    show(<SalesPage />);
    const about = (await screen.findByText(/^The 6-digit code the buyer reads/)).textContent;
    if (said) expect(about).toMatch(said);
    else expect(about).not.toMatch(/wrong code/);
  });

  it.each([
    ["paid", /The shop has to confirm the delivery.$/],
    ["shipping", /Ask the buyer to press “I received it”/],
  ] as const)("is said with the way on once it is none: %s", async (track_status, said) => {
    api({ "GET /seller/orders/": [aSale({ track_status, moves: [], code_tries: 0 })] });
    show(<SalesPage />);
    expect(await screen.findByText(said)).toBeTruthy();
  });
});

describe("what cannot be delivered", () => {
  it.each([
    [true, true],
    [false, false],
  ])("is cancelled with a reason; goods there: %s", async (isChecked, goods_there) => {
    const sent = api({
      "GET /seller/orders/": [aSale()],
      "POST /track/512/move/": { id: 512 },
    });
    show(<SalesPage />);
    fireEvent.click(await screen.findByRole("button", { name: /^I cannot deliver this/ }));
    expect(screen.getByText(/^We refund KES.3,700 to the buyer/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Why? The buyer will see this."), {
      target: { value: " It broke. " },
    });
    if (isChecked) fireEvent.click(screen.getByLabelText("Put the item back in stock"));
    fireEvent.click(screen.getByRole("button", { name: "Cancel sale" }));
    await screen.findByText(/^Cancelled: Kettle/);
    expect(sent.find(({ path }) => path === "POST /track/512/move/")?.body).toEqual({
      to: "cancelled",
      note: "It broke.",
      goods_there,
    });
  });
});

describe("a seller's money", () => {
  const money = (answers: Record<string, unknown> = {}) =>
    api({
      "GET /seller/balance/": BALANCE,
      "GET /seller/payouts/": [],
      "GET /seller/statement/": [],
      ...answers,
    });

  it("refunds what is left of a price that was reduced", async () => {
    api({ "GET /seller/orders/": [aSale({ reduced: 700 })] });
    show(<SalesPage />, { at: "/selling/orders" });

    expect(await screen.findByText(/^Price reduced by KES.700$/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /^I cannot deliver this/ }));
    expect(screen.getByText(/^We refund KES.3,000 to the buyer/)).toBeTruthy();
  });

  it("says what is owed, on its way, waiting, and held because of problems", async () => {
    money();
    show(<MoneyPage />);
    for (const [name, sum] of [
      ["The shop owes you", "KES 4,150"],
      ["On its way to you", "KES 1,500"],
      ["Waiting", "KES 800"],
      ["On hold for problems", "KES 1,850"],
    ] as const) {
      const row = (await screen.findByText(name)).parentElement as HTMLElement;
      expect(within(row).getByText(sum)).toBeTruthy();
    }
    expect(screen.getByRole("link", { name: "View and reply" })).toBeTruthy();
    expect(await screen.findByText("No earnings yet")).toBeTruthy();
  });

  it("says a debt as one", async () => {
    money({ "GET /seller/balance/": { owed: -200, on_its_way: 0, waiting: 0, held: 0 } });
    show(<MoneyPage />);
    const row = (await screen.findByText("You owe the shop")).parentElement as HTMLElement;
    expect(within(row).getByText("KES 200")).toBeTruthy();
  });

  it.each([
    ["waiting", "Waiting"],
    ["on_its_way", "On its way"],
    ["paid", "Sent"],
    ["refused", "Rejected"],
    ["replaced", "Replaced"],
  ] as const)("says of a payout that is %s: %s", async (status, said) => {
    money({ "GET /seller/payouts/": [aPayout({ status })] });
    show(<MoneyPage />);
    await waitFor(() => expect(document.querySelector(".tag")?.textContent).toBe(said));
    expect(screen.queryByLabelText("M-Pesa number") !== null).toBe(status === "refused");
    // What M-Pesa said of a number is for programmers.
    const isGiven = screen.queryByText("The receiver is not registered.") !== null;
    expect(isGiven).toBe(status !== "refused" && status !== "paid");
  });

  it("lists each movement with what it left", async () => {
    const movement = {
      id: 9,
      at: "2026-11-24T08:15:00Z",
      kind: "commission",
      amount: -185,
      balance: 1665,
      order: "PR7KWQ4M",
      product: "Kettle",
      number: null,
    };
    money({ "GET /seller/statement/": [movement] });
    show(<MoneyPage />);
    const row = (await screen.findByText(/^Commission/)).closest("li");
    expect(row?.textContent).toContain("KES\u00a0-185");
    expect(row?.textContent).toContain("balance: KES\u00a01,665");
  });

  async function giveNumber(answer: unknown) {
    const sent = money({
      "GET /seller/payouts/": [aPayout()],
      "POST /seller/payouts/17/number/": answer,
    });
    show(<MoneyPage />);
    fireEvent.change(await screen.findByLabelText("M-Pesa number"), {
      target: { value: "0733000222" },
    });
    fireEvent.change(screen.getByLabelText("Your password"), { target: { value: "sukuma" } });
    fireEvent.click(screen.getByRole("button", { name: "Send payout" }));
    return sent;
  }

  it("sends a refused payout to another number, with the password", async () => {
    const sent = await giveNumber(aPayout({ status: "replaced" }));
    expect(await screen.findByText(/to the new number as a new payout/)).toBeTruthy();
    expect(sent.find(({ path }) => path === "POST /seller/payouts/17/number/")?.body).toEqual({
      mpesa_number: "0733000222",
      password: "sukuma",
    });
  });

  it("shows a wrong password on its field", async () => {
    await giveNumber(json({ password: ["This is not your password."] }, 400));
    expect(await screen.findByText("This is not your password.")).toBeTruthy();
    expect(screen.getByLabelText("Your password").getAttribute("aria-invalid")).toBe("true");
  });
});

describe("a problem with what was sold", () => {
  it("is read and answered", async () => {
    const said = {
      id: 1,
      by: "buyer",
      text: "The lid is cracked.",
      decided: null,
      pictures: [],
      at: "2026-11-24T08:15:00Z",
    };
    const sent = api({
      "GET /seller/problems/": [aProblem()],
      "GET /track/512/problem/messages/": [said],
      "POST /track/512/problem/messages/": { ...said, id: 2, by: "seller", text: "Sorry." },
    });
    show(<ProblemsPage />);
    const details = (await screen.findByText("View and reply")).closest("details");
    if (details) details.open = true;
    fireEvent(details as Element, new Event("toggle"));
    expect(await screen.findByText("The lid is cracked.")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Your reply"), { target: { value: "Sorry." } });
    fireEvent.click(screen.getByRole("button", { name: "Send reply" }));
    await waitFor(() =>
      expect(sent.find(({ path }) => path === "POST /track/512/problem/messages/")?.body).toEqual({
        text: "Sorry.",
      }),
    );
  });

  it.each([
    ["Refund in full", {}, { note: "" }],
    ["Refund part of it", { amount: "300" }, { amount: 300, note: "" }],
    ["Request a return", {}, { bring_back: true, note: "" }],
  ])("ends with: %s", async (name, typed: { amount?: string }, body) => {
    const sent = api({
      "GET /seller/problems/": [aProblem()],
      "POST /track/512/problem/accept/": aProblem({ state: "closed" }),
    });
    show(<ProblemsPage />);
    fireEvent.click(await screen.findByRole("button", { name: new RegExp(`^${name}`) }));
    if (typed.amount) {
      fireEvent.change(screen.getByLabelText("Refund amount (KES)"), {
        target: { value: typed.amount },
      });
    }
    fireEvent.click(screen.getByRole("button", { name: "Yes, I agree" }));
    await waitFor(() =>
      expect(sent.find(({ path }) => path === "POST /track/512/problem/accept/")?.body).toEqual(
        body,
      ),
    );
  });

  it("cannot ask for goods back that were not collected", async () => {
    api({ "GET /seller/problems/": [aProblem({ track_status: "paid" })] });
    show(<ProblemsPage />);
    await screen.findByRole("button", { name: /^Refund in full/ });
    expect(screen.queryByRole("button", { name: /^Request a return/ })).toBeNull();
  });

  it("is told as decided where somebody else was first", async () => {
    api({
      "GET /seller/problems/": [aProblem()],
      "POST /track/512/problem/accept/": json(
        { detail: "It is decided.", code: "problem_closed" },
        409,
      ),
    });
    show(<ProblemsPage />);
    fireEvent.click(await screen.findByRole("button", { name: /^Refund in full/ }));
    fireEvent.click(screen.getByRole("button", { name: "Yes, I agree" }));
    expect(await screen.findByText("It is decided.")).toBeTruthy();
  });

  it("offers nothing once it is decided", async () => {
    api({
      "GET /seller/problems/": [aProblem({ state: "closed", outcome: "reduced", refunded: 300 })],
    });
    show(<ProblemsPage />);
    expect(await screen.findByText("Part of the price is refunded: KES 300")).toBeTruthy();
    expect(screen.queryByRole("button")).toBeNull();
  });
});

/** An access token that is good for an hour. */
const TOKEN = `x.${btoa(JSON.stringify({ iat: 1_000_000, exp: 1_003_600 }))}.x`;

describe("the door on the account page", () => {
  beforeEach(() => {
    session.begin(
      { access: TOKEN, refresh: "r" },
      { pk: 7, username: "amina", email: "", first_name: "", last_name: "" },
    );
  });

  it.each([
    [true, ["/selling", "/selling/orders", "/selling/money"]],
    [false, ["/selling/new"]],
  ])(
    "leads who sells to what waits, and others to their first listing: %s",
    async (is_seller, doors) => {
      const sent = api({
        "GET /me/": { is_seller, roles: [], counts: { unpaid_orders: 0, to_hand_over: 3 } },
      });
      show(<AccountPage />);
      await waitFor(() => expect(sent.some(({ path }) => path === "GET /me/")).toBe(true));
      if (is_seller) await screen.findByText("3 to hand over");
      else await screen.findByText("Sell your first product");
      const links = screen.queryAllByRole("link").map((link) => link.getAttribute("href"));
      expect(links.filter((to) => to?.startsWith("/selling"))).toEqual(doors);
    },
  );
});

describe("the names of counties", () => {
  it.each([
    ["nairobi", "Nairobi"],
    ["tana_river", "Tana River"],
    ["muranga", "Murang’a"],
    ["elgeyo_marakwet", "Elgeyo/Marakwet"],
    ["homa_bay", "Homa Bay"],
  ])("%s is %s", (key, name) => expect(countyName(key)).toBe(name));
});
