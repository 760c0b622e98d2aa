import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { useLocation } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { session } from "../src/api/session";
import SellerPage from "../src/seller/SellerPage";
import ListingPage from "../src/selling/ListingPage";
import ListingsPage from "../src/selling/ListingsPage";
import NewPage from "../src/selling/NewPage";
import { moved } from "../src/selling/Pictures";
import type { Listing, SellersReview } from "../src/selling/queries";
import ReviewsPage from "../src/selling/ReviewsPage";
import SpreadsheetsPage from "../src/selling/SpreadsheetsPage";
import SummaryPage from "../src/selling/SummaryPage";
import { answerWith, aProduct, json, show } from "./page";

const aListing = (changes: Partial<Listing> = {}): Listing => ({
  ...aProduct(),
  payment_mpesa_number: "254712345678",
  sku: null,
  on_shelf: 9,
  held: 0,
  free: 9,
  sold: 4,
  listed: true,
  pictures: [],
  ...changes,
});

const aReview = (changes: Partial<SellersReview> = {}): SellersReview => ({
  id: 12,
  stars: 4,
  text: "The lid is stiff.",
  by: "Wanjiku",
  created_at: "2026-11-24T09:12:44Z",
  edited: false,
  returned: false,
  answer: null,
  product: { id: 41, name: "Kettle", thumbnail: null },
  ...changes,
});

const NOTHING = { orders: 0, goods: 0, amount: 0 };
const aSummary = (changes: object = {}) => ({
  sales: { today: { orders: 3, goods: 4, amount: 7400 }, days_7: NOTHING, days_30: NOTHING },
  to_hand_over: { waiting: 0, under_way: 0 },
  balance: { owed: 5550, on_its_way: 0, waiting: 0, held: 0 },
  next_payout: null,
  stock: { listed: 24, low: 0, sold_out: 0, unlisted: 0 },
  rating: { stars: 4.6, reviews: 17 },
  to_answer: { problems: 0, refused_payouts: 0, reviews: 0 },
  ...changes,
});

const me = (is_seller: boolean) => ({
  is_seller,
  phone: "254700000001",
  counts: { unpaid_orders: 0, to_hand_over: 0 },
});

type Sent = { path: string; query: string; key: string | null; body: unknown };

/** The API, which also keeps what was sent to it. */
function api(answers: Record<string, unknown>) {
  const sent: Sent[] = [];
  const answer = answerWith({ "GET /me/": me(true), "GET /seller/products/": [], ...answers });
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    const text = await request.clone().text();
    sent.push({
      path: `${request.method} ${pathname}`,
      query: search,
      key: request.headers.get("Idempotency-Key"),
      body: text.startsWith("{") ? JSON.parse(text) : text,
    });
    return answer(request);
  });
  return { sent, to: (path: string) => sent.filter((each) => each.path === path) };
}

/** An access token that is good for an hour. */
const TOKEN = `x.${btoa(JSON.stringify({ iat: 1_000_000, exp: 1_003_600 }))}.x`;

beforeEach(() => {
  session.begin(
    { access: TOKEN, refresh: "r" },
    { pk: 7, username: "amina", email: "", first_name: "", last_name: "" },
  );
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(true);
});

function type(label: string, value: string) {
  fireEvent.input(screen.getByLabelText(label), { target: { value } });
}

async function fillIn(price = "1,500") {
  await waitFor(() =>
    expect((screen.getByLabelText("Payout number (M-Pesa)") as HTMLInputElement).value).not.toBe(
      "",
    ),
  );
  type("Product name", "Kettle");
  fireEvent.change(screen.getByLabelText("Category"), { target: { value: "kitchen" } });
  type("Price (KES)", price);
  type("Quantity", "3");
}

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const PUT_UP = "List for sale";

/** Where the page led. */
function DeliveryDetails() {
  const { pathname, state } = useLocation();
  return <p>{`${pathname} ${JSON.stringify(state)}`}</p>;
}

const showNew = () =>
  show(
    <>
      <NewPage />
      <DeliveryDetails />
    </>,
    { path: "*" },
  );

describe("a new listing", () => {
  it("tells who never sold what happens, and knows their phone", async () => {
    api({ "GET /me/": me(false) });
    showNew();
    expect(await screen.findByRole("heading", { name: "Sell your first product" })).toBeTruthy();
    expect(screen.getByText(/^Listing is free/)).toBeTruthy();
    expect(await screen.findByDisplayValue("0700 000 001")).toBeTruthy();
  });

  it("is paid where the last one was", async () => {
    api({ "GET /seller/products/": [aListing()] });
    showNew();
    expect(await screen.findByDisplayValue("0712 345 678")).toBeTruthy();
    expect(screen.queryByText(/^Listing is free/)).toBeNull();
  });

  it("is sent with a key, and leads to its own page", async () => {
    const { to } = api({ "POST /create/": aListing() });
    showNew();
    await fillIn();
    press(PUT_UP);
    expect(await screen.findByText('/selling/listings/41 {"isNew":true}')).toBeTruthy();
    const [made] = to("POST /create/");
    expect(made?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(made?.body).toEqual({
      name: "Kettle",
      category: "kitchen",
      price: "1500",
      item_number: "3",
      description: "",
      payment_mpesa_number: "0700 000 001",
    });
    expect(localStorage.getItem("listing-7")).toBeNull();
  });

  it("keeps one key while no answer comes, through a reload", async () => {
    const { to } = api({ "POST /create/": new TypeError("lost") });
    const first = showNew();
    await fillIn();
    press(PUT_UP);
    await screen.findByText("We could not reach the shop. Check your connection and try again.");
    first.unmount();
    showNew();
    expect(screen.getByDisplayValue("Kettle")).toBeTruthy();
    expect((screen.getByLabelText("Category") as HTMLSelectElement).value).toBe("kitchen");
    press(PUT_UP);
    await waitFor(() => expect(to("POST /create/")).toHaveLength(2));
    const [one, two] = to("POST /create/").map(({ key }) => key);
    expect(two).toBe(one);
  });

  it("says what is wrong beside its field, and puts the cursor there", async () => {
    api({ "POST /create/": json({ price: ["At most 150,000."] }, 400) });
    showNew();
    await fillIn("200000");
    press(PUT_UP);
    expect(await screen.findByText("At most 150,000.")).toBeTruthy();
    const price = screen.getByLabelText("Price (KES)");
    expect(price.getAttribute("aria-invalid")).toBe("true");
    expect(document.activeElement).toBe(price);
  });

  it("asks whether it is another thing, where the first was listed after all", async () => {
    const reused = json({ detail: "Used.", code: "idempotency_key_reused" }, 422);
    const { to } = api({ "POST /create/": reused });
    showNew();
    await fillIn();
    press(PUT_UP);
    expect(await screen.findByText(/^This is already listed/)).toBeTruthy();
    press("It is a different product: list it too");
    press(PUT_UP);
    await waitFor(() => expect(to("POST /create/")).toHaveLength(2));
    const [one, two] = to("POST /create/").map(({ key }) => key);
    expect(two).not.toBe(one);
  });

  it("sends the pictures that are missing, and no others, once it is listed", async () => {
    const { to } = api({
      "POST /create/": aListing(),
      "GET /product/41/pictures/": [{ id: 1 }, { id: 2 }],
      "POST /product/41/pictures/": [],
    });
    showNew();
    await fillIn();
    const files = ["a", "b", "c"].map((name) => new File([name], `${name}.jpg`));
    const input = screen.getByLabelText("Choose pictures");
    fireEvent.change(input, { target: { files } });
    await screen.findByRole("button", { name: "Remove picture 3" });
    press(PUT_UP);
    await screen.findByText(/^\/selling\/listings\/41/);
    expect(to("POST /create/")).toHaveLength(1);
    expect(to("POST /product/41/pictures/")).toHaveLength(1);
  });

  it("goes on where a picture was lost", async () => {
    const answers: Record<string, unknown> = {
      "POST /create/": aListing(),
      "GET /product/41/pictures/": new TypeError("lost"),
    };
    const { to } = api(answers);
    showNew();
    await fillIn();
    const files = ["a", "b"].map((name) => new File([name], `${name}.jpg`));
    fireEvent.change(screen.getByLabelText("Choose pictures"), { target: { files } });
    await screen.findByRole("button", { name: "Remove picture 2" });
    press(PUT_UP);
    expect(await screen.findByText(/^It is on sale, but some/)).toBeTruthy();
    press("Retry pictures");
    await screen.findByText(/^It is on sale, but some/);
    expect(to("POST /create/")).toHaveLength(1);
    press("Continue without them");
    expect(await screen.findByText(/^\/selling\/listings\/41/)).toBeTruthy();
  });

  it("says offline that nothing can be sent", async () => {
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    api({});
    showNew();
    expect(await screen.findByText(/^You are offline. What you typed/)).toBeTruthy();
    expect(screen.getByRole("button", { name: PUT_UP }).hasAttribute("disabled")).toBe(true);
  });

  it("has its pictures in the order they were put into", () => {
    expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
    expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  });
});

describe("the seller's goods", () => {
  it.each([
    ["On sale", {}],
    ["Low stock", { free: 5 }],
    ["Sold out", { free: 0 }],
    ["Not on sale", { listed: false }],
  ] as const)("are told apart: %s", async (said, changes) => {
    api({ "GET /seller/products/": [aListing(changes)] });
    show(<ListingsPage />);
    await screen.findByRole("heading", { name: "Kettle" });
    expect(document.querySelector(".goods .tag")?.textContent).toBe(said);
  });

  it("say what is held, and what was sold", async () => {
    api({ "GET /seller/products/": [aListing({ held: 2, free: 7 })] });
    show(<ListingsPage />);
    expect(await screen.findByText("2 reserved")).toBeTruthy();
    expect(screen.getByText("7 in stock")).toBeTruthy();
    expect(screen.getByText("4 sold")).toBeTruthy();
  });

  it("are asked for as the address narrows them", async () => {
    const { to } = api({});
    show(<ListingsPage />, { at: "/?status=low_stock&search=kett&ordering=available" });
    expect(await screen.findByText("No listings match “kett”")).toBeTruthy();
    expect(to("GET /seller/products/").map(({ query }) => query)).toEqual([
      "?status=low_stock&search=kett&ordering=available",
    ]);
  });

  it("begin with the first", async () => {
    api({});
    show(<ListingsPage />);
    const link = await screen.findByRole("link", { name: "Sell your first product" });
    expect(link.getAttribute("href")).toBe("/selling/new");
  });

  it("show a failure with a way on", async () => {
    api({ "GET /seller/products/": json({ detail: "no" }, 503) });
    show(<ListingsPage />);
    expect(await screen.findByText("The shop is very busy. Try again in a moment.")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it("are taken off with one press", async () => {
    const { to } = api({
      "GET /seller/products/": [aListing()],
      "PATCH /product/41/": aListing({ listed: false }),
    });
    show(<ListingsPage />);
    fireEvent.click(await screen.findByRole("button", { name: "Remove from sale (Kettle)" }));
    expect(await screen.findByText("Removed from sale: Kettle.")).toBeTruthy();
    expect(to("PATCH /product/41/")[0]?.body).toEqual({ listed: false });
  });

  it("are counted once, however often a restock is sent until it is answered", async () => {
    const { to } = api({
      "GET /seller/products/": [aListing()],
      "POST /product/41/restock/": new TypeError("lost"),
    });
    show(<ListingsPage />);
    fireEvent.click(await screen.findByRole("button", { name: "Restock (Kettle)" }));
    fireEvent.click(screen.getByLabelText("Remove stock"));
    type("Quantity", "2");
    type("Note", "They fell.");
    press("Remove from stock");
    await screen.findByText("We could not reach the shop. Check your connection and try again.");
    press("Remove from stock");
    await waitFor(() => expect(to("POST /product/41/restock/")).toHaveLength(2));
    const [one, two] = to("POST /product/41/restock/");
    expect(one?.body).toEqual({ number: -2, note: "They fell." });
    expect(two?.key).toBe(one?.key);
  });
});

const showListing = () =>
  show(<ListingPage />, { at: "/selling/listings/41", path: "/selling/listings/:listing" });

describe("one of the seller's goods", () => {
  it("is asked for by its number, and saved with what was changed", async () => {
    const { to } = api({
      "GET /seller/products/": [aListing()],
      "PATCH /product/41/": aListing({ price: 1600 }),
    });
    showListing();
    const price = await screen.findByLabelText("Price (KES)");
    fireEvent.input(price, { target: { value: "1,600" } });
    press("Save");
    expect(await screen.findByText("Saved.")).toBeTruthy();
    expect(to("GET /seller/products/")[0]?.query).toBe("?id=41");
    expect(to("PATCH /product/41/")[0]?.body).toEqual({
      name: "Kettle",
      category: "kitchen",
      price: "1600",
      description: "Boils.",
      sku: null,
    });
  });

  it("says so where it is somebody else's", async () => {
    api({});
    showListing();
    expect(await screen.findByRole("heading", { name: "This is not your listing" })).toBeTruthy();
  });

  it("is paid elsewhere only with the password", async () => {
    const { to } = api({
      "GET /seller/products/": [aListing()],
      "PATCH /product/41/": json({ password: ["This is not your password."] }, 400),
    });
    showListing();
    fireEvent.input(await screen.findByLabelText("M-Pesa number"), {
      target: { value: "0733000222" },
    });
    fireEvent.input(screen.getByLabelText("Your password"), { target: { value: "guess" } });
    press("Change number");
    expect(await screen.findByText("This is not your password.")).toBeTruthy();
    expect(to("PATCH /product/41/")[0]?.body).toEqual({
      payment_mpesa_number: "0733000222",
      password: "guess",
    });
  });

  it("that is off can be listed again, and is not shared", async () => {
    const { to } = api({
      "GET /seller/products/": [aListing({ listed: false })],
      "PATCH /product/41/": aListing(),
    });
    showListing();
    fireEvent.click(await screen.findByRole("button", { name: "List again" }));
    expect(screen.queryByRole("button", { name: "Share" })).toBeNull();
    await waitFor(() => expect(to("PATCH /product/41/")[0]?.body).toEqual({ listed: true }));
  });

  it("puts its second picture first", async () => {
    const picture = (id: number) => ({
      id,
      sizes: [{ url: `/${id}.webp`, width: 1, height: 1 }],
      preview: null,
    });
    const { to } = api({
      "GET /seller/products/": [aListing({ pictures: [picture(7), picture(9)] })],
      "PUT /product/41/pictures/": [picture(9), picture(7)],
    });
    showListing();
    fireEvent.click(await screen.findByRole("button", { name: "Move picture 2 forward" }));
    await waitFor(() =>
      expect(to("PUT /product/41/pictures/")[0]?.body).toEqual({ order: [9, 7] }),
    );
  });

  it("tells what came and what left", async () => {
    const move = {
      number: 5,
      note: "From Nakuru",
      by: "amina",
      created_at: "2026-11-23T13:36:00Z",
    };
    api({
      "GET /seller/products/": [aListing()],
      "GET /product/41/stock/": [
        { ...move, id: 2, kind: "restocked" },
        { ...move, id: 1, kind: "sold", number: -1, note: "", by: null },
      ],
    });
    showListing();
    const story = (await screen.findByText("Stock history")).closest("details");
    if (story) story.open = true;
    fireEvent(story as Element, new Event("toggle"));
    expect(await screen.findByText("+5")).toBeTruthy();
    expect(screen.getByText(/^Restocked: From Nakuru/)).toBeTruthy();
    expect(screen.getByText("-1")).toBeTruthy();
  });
});

describe("the seller's day", () => {
  it("says what needs them, most pressing first", async () => {
    api({
      "GET /seller/summary/": aSummary({
        to_hand_over: { waiting: 2, under_way: 1 },
        stock: { listed: 24, low: 3, sold_out: 1, unlisted: 0 },
        to_answer: { problems: 1, refused_payouts: 1, reviews: 4 },
      }),
    });
    show(<SummaryPage />);
    const needs = (await screen.findByRole("heading", { name: "To do" })).parentElement;
    const links = within(needs as HTMLElement).getAllByRole("link");
    expect(links.map((link) => [link.textContent, link.getAttribute("href")])).toEqual([
      ["1 payout failed: enter another number", "/selling/money"],
      ["1 buyer has a problem", "/selling/problems"],
      ["2 paid orders to prepare", "/selling/orders"],
      ["1 product sold out", "/selling/listings?status=sold_out"],
      ["3 products low in stock", "/selling/listings?status=low_stock&ordering=available"],
      ["4 reviews to reply to", "/selling/reviews?answered=false"],
    ]);
  });

  it("has figures, and says that nothing waits", async () => {
    api({ "GET /seller/summary/": aSummary() });
    show(<SummaryPage />);
    expect(await screen.findByText("You are all caught up.")).toBeTruthy();
    expect(screen.getByText("KES 7,400")).toBeTruthy();
    expect(screen.getByText("3 orders · 4 items")).toBeTruthy();
  });

  it("begins with a first listing for who never sold", async () => {
    const stock = { listed: 0, low: 0, sold_out: 0, unlisted: 0 };
    api({ "GET /seller/summary/": aSummary({ stock }) });
    show(<SummaryPage />, { at: "/selling", path: "/selling" });
    expect(await screen.findByText("elsewhere")).toBeTruthy();
  });

  it("shows a failure with a way on", async () => {
    api({ "GET /seller/summary/": json({ detail: "no" }, 503) });
    show(<SummaryPage />);
    expect(await screen.findByRole("button", { name: "Try again" })).toBeTruthy();
  });
});

describe("reviews", () => {
  const given = (days: number) => ({
    text: "Asante!",
    created_at: new Date(Date.now() - days * 24 * 3600_000).toISOString(),
  });

  it("are answered", async () => {
    const { to } = api({
      "GET /seller/reviews/": [aReview()],
      "POST /review/12/answer/": { id: 12 },
    });
    show(<ReviewsPage />);
    fireEvent.click(await screen.findByRole("button", { name: "Reply (Kettle)" }));
    type("Your reply", "It gets easier.");
    press("Send reply");
    await waitFor(() =>
      expect(to("POST /review/12/answer/")[0]?.body).toEqual({ text: "It gets easier." }),
    );
  });

  it.each([
    [6, true],
    [8, false],
  ])("keep an answer of %i days ago open to a change: %s", async (days, isOpen) => {
    const { to } = api({
      "GET /seller/reviews/": [aReview({ answer: given(days) })],
      "PATCH /review/12/answer/": { id: 12 },
    });
    show(<ReviewsPage />);
    await screen.findByText("Asante!");
    const change = screen.queryByRole("button", { name: "Edit reply (Kettle)" });
    expect(change !== null).toBe(isOpen);
    if (!change) return;
    fireEvent.click(change);
    type("Your reply", "Asante sana!");
    press("Send reply");
    await waitFor(() =>
      expect(to("PATCH /review/12/answer/")[0]?.body).toEqual({ text: "Asante sana!" }),
    );
  });

  it("are narrowed by the address", async () => {
    const { to } = api({ "GET /seller/reviews/": [] });
    show(<ReviewsPage />, { at: "/?answered=false&stars=2" });
    expect(await screen.findByText("Nothing here")).toBeTruthy();
    expect(to("GET /seller/reviews/")[0]?.query).toBe("?answered=false&stars=2");
  });

  it("are none at first", async () => {
    api({ "GET /seller/reviews/": [] });
    show(<ReviewsPage />);
    expect(await screen.findByText("No reviews yet")).toBeTruthy();
  });
});

const aReport = (check: boolean) => ({
  check,
  rows: [
    { row: 2, status: "updated", id: 41, errors: {}, notes: {} },
    {
      row: 3,
      status: "failed",
      id: null,
      errors: { price: ["A whole number is needed."] },
      notes: {},
    },
  ],
  totals: { created: 0, updated: 1, unchanged: 0, failed: 1 },
});

describe("spreadsheets", () => {
  const choose = () =>
    fireEvent.change(screen.getByLabelText("Choose a file"), {
      target: { files: [new File(["id\n"], "goods.csv")] },
    });

  it("are checked before anything is saved, then saved under the same key", async () => {
    const { to } = api({ "POST /seller/products/import/": aReport(true) });
    show(<SpreadsheetsPage />);
    choose();
    expect(screen.queryByRole("button", { name: "Save changes" })).toBeNull();
    press("Check file");
    expect(await screen.findByText(/^Nothing has changed yet/)).toBeTruthy();
    press("Save changes");
    await waitFor(() => expect(to("POST /seller/products/import/")).toHaveLength(2));
    const [checked, saved] = to("POST /seller/products/import/");
    expect([checked?.query, saved?.query]).toEqual(["?check=true", "?check=false"]);
    expect(saved?.key).toBe(checked?.key);
  });

  it("cannot be saved where nothing would change", async () => {
    const totals = { created: 0, updated: 0, unchanged: 2, failed: 1 };
    api({ "POST /seller/products/import/": { ...aReport(true), totals } });
    show(<SpreadsheetsPage />);
    choose();
    press("Check file");
    expect(await screen.findByText("This file would change nothing:")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Save changes" })).toBeNull();
  });

  it("say of each row what is wrong, by its column, first what was refused", async () => {
    api({ "POST /seller/products/import/": aReport(true) });
    show(<SpreadsheetsPage />);
    choose();
    press("Check file");
    const rows = await screen.findAllByText(/^Row \d/);
    expect(rows.map((row) => row.textContent)).toEqual(["Row 3", "Row 2"]);
    expect(screen.getByText("price").parentElement?.textContent).toBe(
      "price A whole number is needed.",
    );
    expect(screen.getByText("1 rejected")).toBeTruthy();
  });

  it("say of a file that cannot be read why", async () => {
    api({ "POST /seller/products/import/": json({ file: ["This is no CSV."] }, 400) });
    show(<SpreadsheetsPage />);
    choose();
    press("Check file");
    expect(await screen.findByText("This is no CSV.")).toBeTruthy();
  });

  it("are downloaded by a plain address", async () => {
    const go = vi.spyOn(location, "assign").mockImplementation(() => undefined);
    api({ "POST /seller/products/export/": { url: "http://shop/x/", expires_in: 60 } });
    show(<SpreadsheetsPage />);
    press("Download listings");
    await waitFor(() => expect(go).toHaveBeenCalledWith("http://shop/x/"));
  });
});

describe("a seller's public page", () => {
  const showSeller = () => show(<SellerPage />, { at: "/seller/amina", path: "/seller/:username" });

  it("says who they are and what they sell", async () => {
    api({
      "GET /seller/amina/": {
        user_name: "amina",
        display_name: "Amina",
        avatar: null,
        goods: 38,
        stars: 4.6,
        reviews: 212,
        member_since: "2024-03-09",
      },
      "GET /product/search/": [aProduct()],
    });
    showSeller();
    expect(await screen.findByRole("heading", { name: "Amina" })).toBeTruthy();
    expect(screen.getByText("38 products")).toBeTruthy();
    expect(await screen.findByRole("link", { name: "Kettle" })).toBeTruthy();
  });

  it("says that nobody of the name sells", async () => {
    api({});
    showSeller();
    expect(await screen.findByRole("heading", { name: "Seller not found" })).toBeTruthy();
  });
});
