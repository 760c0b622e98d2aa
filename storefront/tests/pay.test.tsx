import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Order } from "../src/api/client";
import PayPage from "../src/checkout/PayPage";
import { pauseOf } from "../src/checkout/polling";
import { stageOf } from "../src/checkout/prompt";
import { anOrder, answerWith, aPrompt, show } from "./page";

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

  it("goes on while money is on its way back, and stops once all is said", () => {
    expect(pauseOf(order("refund_due"), 0, NOW)).toBe(15_000);
    for (const status of ["paid", "cancelled", "refunded"] as const) {
      expect(pauseOf(order(status), 0, NOW)).toBe(false);
    }
  });
});

describe("how a payment stands", () => {
  const prompt = (status: Order["prompt"]["status"], code: string) => ({
    prompt: aPrompt(status, "…", { code }),
  });

  it.each([
    [prompt("requested", "about_to_ring"), "ringing"],
    [prompt("submitted", "enter_pin"), "ringing"],
    [prompt("unknown", "asking"), "ringing"],
    [prompt("submitted", "silent"), "silent"],
    [prompt("failed", "cancelled_on_phone"), "failed"],
    [prompt("none", "try_again"), "failed"],
    [{ ...prompt("failed", "short"), amount_due: 1100 }, "short"],
    [{ payment_status: "expired" as const }, "expired"],
    [{ payment_status: "refund_due" as const }, "refund_due"],
  ])("%j is %s", (changes, stage) => {
    expect(stageOf(anOrder(changes))).toBe(stage);
  });
});

describe("the page of a payment", () => {
  const at = (changes: Partial<Order>) => {
    const shown = anOrder(changes);
    answerWith({ [`GET /cashout/${shown.order_token}/`]: shown });
    show(<PayPage />, { at: `/pay/${shown.order_token}`, path: "/pay/:token" });
  };

  it.each<[string, Partial<Order>, RegExp, RegExp | null]>([
    ["ringing", {}, /Your phone is asking/, /Pay by hand instead/],
    [
      "silent",
      {
        prompt: aPrompt("submitted", "We have not heard from M-Pesa yet. Wait.", {
          code: "silent",
        }),
      },
      /Waiting for M-Pesa/,
      /Ring 0712 345 678 again/,
    ],
    [
      "failed",
      {
        prompt: aPrompt("failed", "The M-Pesa PIN was wrong. Try again with the right one."),
      },
      /Not paid yet/,
      /The M-Pesa PIN was wrong/,
    ],
    [
      "short",
      { amount_due: 1100, prompt: aPrompt("failed", "KES 400 of KES 1500 came.") },
      /Part of it has come/,
      /KES 400 came\. Pay the missing KES 1,100/,
    ],
    [
      "paid",
      {
        payment_status: "paid",
        amount_due: 0,
        by_hand: [],
        prompt: aPrompt("confirmed", "Paid. Thank you!"),
      },
      /^Paid$/,
      /See your order/,
    ],
    [
      "expired",
      {
        payment_status: "expired",
        amount_due: 0,
        by_hand: [],
        prompt: aPrompt("failed", "x"),
      },
      /The time is over/,
      /we keep looking for your money/,
    ],
    [
      "cancelled",
      { payment_status: "cancelled", amount_due: 0, by_hand: [] },
      /Given up/,
      /Put it back into the cart/,
    ],
    [
      "refund_due",
      { payment_status: "refund_due", amount_due: 0, by_hand: [] },
      /Your money comes back/,
      /It goes to the phone that paid/,
    ],
    [
      "refunded",
      { payment_status: "refunded", amount_due: 0, by_hand: [] },
      /Your money is back/,
      /M-Pesa has sent you a message/,
    ],
  ])("%s: says what it means and what to do", async (_, changes, title, more) => {
    at(changes);

    expect(await screen.findByRole("heading", { level: 1, name: title })).toBeTruthy();
    if (more) expect(screen.getAllByText(more).length).toBeGreaterThan(0);
  });

  it("says what to do as the API says it, and the ways to pay by hand apart", async () => {
    at({ prompt: aPrompt("failed", "The moon is in the way.", { by_hand: "Or pay by hand: x." }) });

    expect(await screen.findByText("The moon is in the way.")).toBeTruthy();
    expect(screen.queryByText(/Or pay by hand: x/)).toBeNull();
  });

  it("is missing where the order is somebody else's", async () => {
    answerWith({});
    show(<PayPage />, { at: "/pay/1c7c2d0e", path: "/pay/:token" });

    expect(await screen.findByText("There is no such order")).toBeTruthy();
  });
});
