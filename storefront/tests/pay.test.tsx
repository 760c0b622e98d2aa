import { act, fireEvent, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Order } from "../src/api/client";
import { session } from "../src/api/session";
import PayPage from "../src/checkout/PayPage";
import { pauseOf } from "../src/checkout/polling";
import { stageOf } from "../src/checkout/prompt";
import { guestOrders } from "../src/orders/guestOrders";
import { anOrder, answerWith, aPrompt, json, show } from "./page";

const USER = { pk: 9, username: "wanjiku", email: "", first_name: "", last_name: "" };

const NOW = Date.parse("2026-11-28T12:00:00Z");
const order = (payment_status: Order["payment_status"], expires_at = "2026-11-28T12:10:00Z") => ({
  payment_status,
  expires_at,
});

describe("how often a payment is asked about", () => {
  it.each([
    [0, 2000],
    [59_000, 2000],
    [60_000, 5000],
    [299_000, 5000],
    [300_000, 15_000],
  ])("%i ms after it rang: every %i ms", (past, pause) => {
    expect(pauseOf(order("requested"), NOW - past, NOW)).toBe(pause);
  });

  it("goes on for a quarter of an hour after the time is over, for late money", () => {
    expect(pauseOf(order("expired", "2026-11-28T11:46:00Z"), 0, NOW)).toBe(15_000);
    expect(pauseOf(order("expired", "2026-11-28T11:45:00Z"), 0, NOW)).toBe(false);
  });

  it("goes on once the order was given up: a phone that rings may still be answered", () => {
    expect(pauseOf(order("cancelled"), NOW - 10_000, NOW)).toBe(5000);
    expect(pauseOf(order("cancelled", "2026-11-28T11:45:00Z"), NOW - 10_000, NOW)).toBe(false);
  });

  it("goes on while money is on its way back, and stops once all is said", () => {
    expect(pauseOf(order("refund_due"), 0, NOW)).toBe(15_000);
    for (const status of ["paid", "refunded"] as const) {
      expect(pauseOf(order(status), 0, NOW)).toBe(false);
    }
  });
});

/** As the API tells a prompt that brought nothing, or brings nothing yet. */
const failed = (code: string) => ({
  prompt: aPrompt("failed", `As the shop says ${code}.`, { code, ring_again_in: 0 }),
});
const open = (code: string, changes: Partial<Order["prompt"]> = {}) => ({
  prompt: aPrompt("submitted", `As the shop says ${code}.`, { code, live: true, ...changes }),
});
const closed = (payment_status: Order["payment_status"], code: string) => ({
  payment_status,
  amount_due: 0,
  by_hand: [],
  expires_in: null,
  prompt: aPrompt("failed", `As the shop says ${code}.`, { code }),
});

describe("how a payment stands", () => {
  it.each<[Partial<Order>, string]>([
    [open("about_to_ring"), "calling"],
    [open("sent_again"), "calling"],
    [open("waits_for_phone"), "busy"],
    [open("enter_pin"), "ringing"],
    [open("asking"), "unknown"],
    [open("silent"), "silent"],
    [failed("cancelled"), "failed"],
    [failed("expired"), "failed"],
    [failed("short"), "short"],
    [failed("of_tomorrow"), "failed"],
    [open("of_tomorrow"), "ringing"],
    [closed("expired", "yielded"), "expired"],
    [closed("cancelled", "cancelled"), "cancelled"],
    [closed("cancelled", "cancelled_by_shop"), "called_off"],
    [closed("refund_due", "paid_after_cancelling"), "refund_due"],
    [closed("paid", "paid"), "paid"],
  ])("%j is %s", (changes, stage) => {
    expect(stageOf(anOrder(changes))).toBe(stage);
  });
});

describe("the page of a payment", () => {
  beforeEach(() => session.begin({ access: "a", access_expires_in: 3600 }, USER));

  /** The page of an order; `then` is what the shop answers to the next question. */
  const at = (changes: Partial<Order>, more: Record<string, unknown> = {}) => {
    const shown = anOrder(changes);
    const path = `/cashout/${shown.order_token}/`;
    const asked = answerWith({ [`GET ${path}`]: shown, ...more });
    show(<PayPage />, { at: `/pay/${shown.order_token}`, path: "/pay/:token" });
    return { asked, path, shown };
  };
  const title = (name: string) => screen.findByRole("heading", { level: 1, name });

  it.each<[string, Partial<Order>, string, RegExp]>([
    ["about to ring", open("about_to_ring"), "Sending the M-Pesa prompt", /As the shop says/],
    ["ringing", {}, "Enter your M-Pesa PIN", /stays on your phone for 110 s/],
    ["phone busy", open("waits_for_phone"), "Your phone is busy", /0712\s345\s678/],
    ["unknown", open("asking"), "Check your phone", /As the shop says asking/],
    [
      "silent",
      open("silent", { live: false, ring_again_in: 0 }),
      "Waiting for M-Pesa",
      /^Resend prompt to 0712\s345\s678$/,
    ],
    ["no PIN", failed("expired"), "Not paid yet", /^Resend prompt to 0712\s345\s678$/],
    ["no answer", failed("no_answer"), "Not paid yet", /^Resend prompt to 0712\s345\s678$/],
    ["wrong PIN", failed("wrong_pin"), "Not paid yet", /As the shop says wrong_pin/],
    ["no money", failed("no_money"), "Not paid yet", /^Use another number$/],
    ["cancelled", failed("cancelled"), "Not paid yet", /As the shop says cancelled/],
    [
      "another prompt",
      failed("refused_busy_phone"),
      "Not paid yet",
      /Resend prompt to 0712\s345\s678/,
    ],
    ["pestered", failed("phone_not_now"), "Not paid yet", /^Use another number$/],
    [
      "wrong amount by hand",
      { ...failed("short"), amount_due: 1100 },
      "Partly paid",
      /We received KES 400\. Pay the remaining KES 1,100/,
    ],
    ["paid", closed("paid", "paid"), "Paid", /View order/],
    [
      "expired",
      closed("expired", "expired"),
      "Time ran out",
      /we are still checking for your payment/,
    ],
    ["given up", closed("cancelled", "cancelled"), "Cancelled", /Add to cart again/],
    [
      "called off",
      closed("cancelled", "cancelled_by_shop"),
      "Cancelled by the shop",
      /Add to cart again/,
    ],
    [
      "money comes back",
      closed("refund_due", "refund_due"),
      "Refund on its way",
      /We refund the phone that paid/,
    ],
    ["money is back", closed("refunded", "refunded"), "Refunded", /M-Pesa has sent you an SMS/],
  ])("%s: says what it means and what to do", async (_, changes, heading, more) => {
    at(changes);

    const found = await title(heading);
    expect(found.closest("[aria-live=polite]")).toBeTruthy();
    expect(screen.getAllByText(more).length).toBeGreaterThan(0);
  });

  it("says what to do as the API says it, and the ways to pay by hand apart", async () => {
    at({ prompt: aPrompt("failed", "The moon is in the way.", { by_hand: "Or pay by hand: x." }) });

    expect(await screen.findByText("The moon is in the way.")).toBeTruthy();
    expect(screen.queryByText(/Or pay by hand: x/)).toBeNull();
  });

  it("rings no phone while it may still show the prompt, and says when it can", async () => {
    at(open("silent", { ring_again_in: 42 }));

    const ring = await screen.findByRole("button", { name: / in 4[12] s$/ });
    expect((ring as HTMLButtonElement).disabled).toBe(true);
  });

  it("offers no ringing where there is no time for it", async () => {
    at({ prompt: aPrompt("failed", "x", { code: "no_answer", ring_again_in: null }) });

    await title("Not paid yet");
    expect(screen.queryByRole("button", { name: /^Resend/ })).toBeNull();
  });

  it.each([
    ["limit", "Use another number"],
    ["wrong_pin", "Resend prompt to 0712\u00a0345\u00a0678"],
  ])("puts first what helps most against %s", async (code, first) => {
    at(failed(code));

    const rings = await screen.findAllByRole("button", { name: /^(Resend|Use another)/ });
    expect(rings[0]?.textContent).toBe(first);
  });

  it("opens the ways to pay by hand where no ringing helps", async () => {
    at(failed("misconfigured"));

    await title("Not paid yet");
    expect(screen.getByText("174379").closest("details")?.open).toBe(true);
  });

  it("rings again in place, and the phone that is asked is another one", async () => {
    const { asked, path } = at(failed("no_money"), {
      [`POST /cashout/${anOrder().order_token}/pay/`]: anOrder({ mpesa_number: "254799000111" }),
    });
    fireEvent.click(await screen.findByRole("button", { name: "Use another number" }));
    fireEvent.input(screen.getByLabelText("M-Pesa number"), {
      target: { value: "0799 000 111" },
    });
    fireEvent.click(screen.getByRole("button", { name: "Send M-Pesa prompt" }));

    await title("Enter your M-Pesa PIN");
    const sent = asked.mock.calls.map(([request]) => request as Request);
    const pay = sent.find(({ url }) => url.endsWith(`${path}pay/`));
    expect(await pay?.json()).toEqual({ mpesa_number: "0799 000 111" });
  });

  it("says that a phone may still ring where the shop will not ring it again", async () => {
    at(failed("no_answer"), {
      [`POST /cashout/${anOrder().order_token}/pay/`]: json(
        { detail: "x", code: "prompt_open" },
        409,
      ),
    });
    fireEvent.click(await screen.findByRole("button", { name: /^Resend prompt to 0712/ }));

    expect(await screen.findByText(/Your phone may still show our M-Pesa prompt/)).toBeTruthy();
  });

  it("without a network shows how it stood, and asks again by itself", async () => {
    const { asked } = at({});
    await title("Enter your M-Pesa PIN");
    asked.mockImplementation(async () => {
      throw new TypeError("network");
    });
    act(() => void dispatchEvent(new Event("visibilitychange")));

    expect(await screen.findByText(/No connection\. Last updated at/)).toBeTruthy();
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Enter your M-Pesa PIN");
  });

  it.each<[string, Partial<Order>, string]>([
    ["is paid after all", closed("paid", "paid"), "Paid"],
    ["comes back", closed("refund_due", "refund_due"), "Refund on its way"],
  ])("shows that money that came late %s", async (_, later, heading) => {
    const { asked } = at(closed("expired", "expired"));
    await title("Time ran out");
    asked.mockImplementation(async () => json(anOrder(later)));
    act(() => void dispatchEvent(new Event("visibilitychange")));

    expect(await title(heading)).toBeTruthy();
  });

  it("is missing where the order is somebody else's", async () => {
    answerWith({});
    show(<PayPage />, { at: "/pay/1c7c2d0e", path: "/pay/:token" });

    expect(await screen.findByText("Order not found")).toBeTruthy();
  });
});

describe("the page of a payment without an account", () => {
  beforeEach(() => {
    session.end();
    guestOrders.drop(anOrder().order_token);
  });
  const MASKED = "•••••••••678";
  const at = (changes: Partial<Order>) => {
    const shown = anOrder({ mpesa_number: MASKED, ...changes });
    const asked = answerWith({
      [`GET /cashout/${shown.order_token}/`]: shown,
      "POST /login/phone/": { detail: "x", token: "t", expires_in: 600, again_in: 60 },
    });
    show(<PayPage />, { at: `/pay/${shown.order_token}`, path: "/pay/:token" });
    return asked;
  };

  it("rings the same phone again, and no other", async () => {
    guestOrders.add({ token: anOrder().order_token, phone: "0712345678" });
    at(failed("no_money"));

    expect(
      await screen.findByRole("button", { name: "Resend prompt to 0712\u00a0345\u00a0678" }),
    ).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Use another number" })).toBeNull();
  });

  it("asks for nothing but a code once it is paid: the phone is known here", async () => {
    guestOrders.add({ token: anOrder().order_token, phone: "0712345678" });
    const asked = at(closed("paid", "paid"));
    fireEvent.click(
      await screen.findByRole("button", { name: "Send a sign-in code to 0712\u00a0345\u00a0678" }),
    );

    expect(await screen.findByLabelText("SMS code")).toBeTruthy();
    const last = asked.mock.calls.at(-1)?.[0] as Request;
    expect(await last.json()).toEqual({ phone: "0712345678" });
  });

  it("leads who has signed in since to the phone that is not their account's yet", async () => {
    guestOrders.add({ token: anOrder().order_token, phone: "0712345678" });
    session.begin({ access: "a", access_expires_in: 3600 }, USER);
    at(closed("paid", "paid"));

    expect(await screen.findByText(/link that phone to your account/)).toBeTruthy();
    const link = screen.getByRole("link", { name: "Go to your account" });
    expect(link.getAttribute("href")).toBe("/account");
    expect(screen.queryByRole("link", { name: "View order" })).toBeNull();
  });

  it("asks for the phone where this browser did not order", async () => {
    at(closed("paid", "paid"));

    expect(await screen.findByLabelText("Phone")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "View order" })).toBeNull();
  });

  it("leads to signing in where the order is of an account", async () => {
    answerWith({ "GET /cashout/1c7c2d0e/": json({ code: "not_authenticated" }, 401) });
    show(<PayPage />, { at: "/pay/1c7c2d0e", path: "/pay/:token" });

    expect(await screen.findByText("elsewhere")).toBeTruthy();
  });
});
