import { screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { session } from "../src/api/session";
import { Header } from "../src/app/Header";
import NoticesPage from "../src/notices/NoticesPage";
import { type Notice, placeOf } from "../src/notices/queries";
import { answerWith, json, show } from "./page";

const TOKEN = "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11";
const aNotice = (changes: Partial<Notice> = {}): Notice => ({
  id: 812,
  kind: "shipped",
  title: "Order PR7KWQ4M is on the way",
  text: "Goods of your order are on the way to you.",
  order_token: TOKEN,
  reference: "PR7KWQ4M",
  line: 512,
  created_at: "2026-11-24T08:16:03Z",
  read: false,
  ...changes,
});

function visit(answers: Record<string, unknown>) {
  const asked = answerWith(answers);
  show(<NoticesPage />);
  return () =>
    asked.mock.calls.map(([it]) => it as Request).filter(({ method }) => method === "POST");
}

describe("what a person was told", () => {
  it("keeps its place while it is read", () => {
    visit({ "GET /notices/": new Promise(() => undefined) });
    expect(document.querySelectorAll(".notice-row.skeleton")).toHaveLength(3);
  });

  it("is read once it is seen, all up to the newest", async () => {
    const posted = visit({
      "GET /notices/": [aNotice(), aNotice({ id: 790, read: true, title: "Paid" })],
      "POST /notices/read/": { unread: 0 },
    });
    await waitFor(() => expect(posted()).toHaveLength(1));
    expect(await posted()[0]?.clone().json()).toEqual({ up_to: 812 });
    // What was new stays marked while it is looked at.
    expect(screen.getAllByText("New")).toHaveLength(1);
  });

  it("says nothing of what was read before", async () => {
    const posted = visit({ "GET /notices/": [aNotice({ read: true })] });
    await screen.findByRole("link", { name: "Order PR7KWQ4M is on the way" });
    expect(posted()).toHaveLength(0);
    expect(screen.queryByText("New")).toBeNull();
  });

  it("stands under its day", async () => {
    visit({
      "GET /notices/": [aNotice(), aNotice({ id: 1, created_at: "2026-11-23T08:16:03Z" })],
      "POST /notices/read/": { unread: 0 },
    });
    const days = await screen.findAllByRole("heading", { level: 2 });
    expect(days.map(({ textContent }) => textContent)).toEqual(["24 Nov 2026", "23 Nov 2026"]);
  });

  it("says where there is nothing", async () => {
    visit({ "GET /notices/": [] });
    expect(await screen.findByText("No notifications yet")).toBeTruthy();
  });

  it("shows a failure with a way on", async () => {
    visit({ "GET /notices/": json({ detail: "no" }, 503) });
    expect(await screen.findByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it.each([
    ["shipped", { line: 512 }, `/orders/${TOKEN}`],
    ["prompt_failed", { line: null }, `/pay/${TOKEN}`],
    ["problem_ended", { line: 512 }, `/orders/${TOKEN}/problem/512`],
    ["sold", { order_token: null, line: null }, "/selling/orders?order=PR7KWQ4M"],
    ["payout_failed", { order_token: null, reference: null }, "/selling/money"],
    ["paid_out", { order_token: null, reference: null }, "/selling/money"],
    ["problem", { order_token: null, line: 512 }, "/selling/problems"],
  ] as const)("of kind %s leads to what it is about", (kind, changes, place) => {
    expect(placeOf(aNotice({ kind, ...changes }))).toBe(place);
  });
});

/** An access token that is good for an hour. */
const ACCESS = `x.${btoa(JSON.stringify({ iat: 1_000_000, exp: 1_003_600 }))}.x`;

describe("the bell in the header", () => {
  beforeEach(() => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
  });
  afterEach(() => {
    vi.useRealTimers();
    session.end();
  });
  const signIn = () =>
    session.begin(
      { access: ACCESS, refresh: "r" },
      { pk: 7, username: "amina", email: "", first_name: "", last_name: "" },
    );

  it("asks nothing for who is not signed in, and is not there", async () => {
    const asked = answerWith({});
    show(<Header />);
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked).not.toHaveBeenCalled();
    expect(screen.queryByRole("link", { name: /Notifications/ })).toBeNull();
  });

  it("counts what is unread, a moment after the page", async () => {
    signIn();
    answerWith({ "GET /me/": { counts: { unpaid_orders: 0, unread_notices: 3 } } });
    show(<Header />);
    expect(screen.getByRole("link", { name: "Notifications" })).toBeTruthy();
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(100);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await screen.findByRole("link", { name: /Notifications 3 ?unread/ })).toBeTruthy();
  });
});
