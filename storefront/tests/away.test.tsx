/** The shop is away for a moment: a restart, or a gateway that reaches nobody. */

import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "../src/api/errors";
import CartPage from "../src/cart/CartPage";
import { CheckoutError } from "../src/checkout/CheckoutError";
import { mayBePlaced } from "../src/checkout/useCashout";
import { Problem } from "../src/ui/parts";
import { answerWith, aProduct, json, show } from "./page";

afterEach(() => vi.useRealTimers());

const refusal = (status: number, headers = {}) => new ApiError(json({}, status, headers), {});

test.each([502, 503, 504])("a page is asked for again by itself after a %i", async (status) => {
  localStorage.setItem(
    "cart",
    JSON.stringify([{ id: 41, number: 1, price: 1500, name: "Kettle" }]),
  );
  dispatchEvent(new StorageEvent("storage", { key: "cart" }));
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const answers: Record<string, unknown> = { "POST /cart/": json({ code: "busy" }, status) };
  answerWith(answers);
  show(<CartPage />);
  await screen.findByText(/The shop is very busy/);
  expect(screen.queryByRole("link", { name: "Checkout" })).toBeNull();

  answers["POST /cart/"] = [aProduct()];
  await vi.advanceTimersByTimeAsync(10_000);

  expect(await screen.findByRole("link", { name: "Checkout" })).toBeTruthy();
});

test.each([502, 503, 504])("a %i says that the order may be placed already", (status) => {
  const error = refusal(status);
  show(<CheckoutError error={error} />);

  expect(screen.getByText(/your order may already be placed/)).toBeTruthy();
  expect(mayBePlaced(error)).toBe(true);
});

test("who is told to name a number gets one", () => {
  show(<Problem error={refusal(500, { "X-Request-ID": "5fa2" })} />);
  expect(screen.getByText(/contact us with this number: 5fa2$/)).toBeTruthy();
});

test("an error without a number asks for none", () => {
  show(<Problem error={refusal(500)} />);
  expect(screen.getByText("Something went wrong on our side. Try again in a moment.")).toBeTruthy();
});
