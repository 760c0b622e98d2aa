/** Renders a page as main.tsx does, with an API that the test defines. */

import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter, Route, Routes, type To } from "react-router";
import { vi } from "vitest";
import type { Order, Product } from "../src/api/client";
import { makeQueryClient } from "../src/api/queries";

type Answers = Record<string, unknown>;

/** Answer each "METHOD /path" with a body, or with a Response; anything else is a 404. */
export function answerWith(answers: Answers) {
  const asked = vi.fn(async (input: Request | string, init?: RequestInit) => {
    const request =
      typeof input === "string" ? new Request(new URL(input, location.origin), init) : input;
    const { pathname } = new URL(request.url);
    const answer = answers[`${request.method} ${pathname}`];
    if (answer instanceof Error) throw answer;
    if (answer instanceof Response) return answer.clone();
    if (answer === undefined) return json({ detail: "Not found.", code: "not_found" }, 404);
    return json(await answer);
  });
  vi.stubGlobal("fetch", asked);
  return asked;
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

/** Show a page at an address; its route has the pattern `path`. */
export function show(
  page: ReactNode,
  {
    at = "/",
    path = "*",
  }: { at?: string | (Exclude<To, string> & { state?: unknown }); path?: string } = {},
) {
  const client = makeQueryClient();
  const { queries, mutations } = client.getDefaultOptions();
  client.setDefaultOptions({ queries: { ...queries, retry: false }, mutations: { ...mutations } });
  return render(
    <I18nProvider i18n={i18n}>
      <QueryClientProvider client={client}>
        <MemoryRouter initialEntries={[at]}>
          <Routes>
            <Route path={path} element={page} />
            <Route path="*" element={<p>elsewhere</p>} />
          </Routes>
        </MemoryRouter>
      </QueryClientProvider>
    </I18nProvider>,
  );
}

export function aProduct(changes: Partial<Product> = {}): Product {
  return {
    id: 41,
    name: "Kettle",
    image: null,
    thumbnail: null,
    description: "Boils.",
    category: "kitchen",
    price: 1500,
    item_number: 5,
    available: 5,
    back_within: null,
    soldout: false,
    user_name: "amina",
    created_at: "2026-11-23T13:36:00+00:00",
    stars: null,
    reviews: 0,
    ...changes,
  };
}

export function aPrompt(
  status: Order["prompt"]["status"],
  text: string,
  changes: Partial<Order["prompt"]> = {},
): Order["prompt"] {
  return {
    status,
    text,
    message: text,
    code: "try_again",
    by_hand: "",
    live: false,
    rung_at: null,
    ring_again_in: null,
    expires_in: null,
    ...changes,
  };
}

export function anOrder(changes: Partial<Order> = {}): Order {
  return {
    order_token: "1c7c2d0e-8f4b-4a52-9a0c-5d3f5f0e7b11",
    reference: "ACDEFGHJ",
    payment_status: "requested",
    amount: 1500,
    mpesa_number: "254712345678",
    created_at: new Date().toISOString(),
    expires_at: new Date(Date.now() + 600_000).toISOString(),
    order: [
      {
        id: 1,
        product: 41,
        name: "Kettle",
        number: 1,
        price: 1500,
        amount: 1500,
        reduced: 0,
        track_status: "created",
        collection_code: null,
        thumbnail: null,
        seller: "amina",
        moves: [],
      },
    ],
    delivery: null,
    delivery_fee: 0,
    expires_in: 600,
    amount_due: 1500,
    refund: 0,
    refunded: 0,
    prompt: aPrompt("submitted", "Check your phone and enter your M-Pesa PIN.", {
      code: "enter_pin",
      live: true,
      ring_again_in: 110,
      expires_in: 110,
    }),
    by_hand: [{ provider: "M-Pesa", pay_bill: "174379", account: "ACDEFGHJ", amount: 1500 }],
    ...changes,
  };
}
