import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { lazy, type ReactNode, Suspense } from "react";
import { BrowserRouter, Link, Route, Routes } from "react-router";
import { beforeEach, expect, it } from "vitest";
import JoinPage from "../src/account/JoinPage";
import SignInPage from "../src/account/SignInPage";
import { features } from "../src/api/boot";
import { makeQueryClient } from "../src/api/queries";
import { session } from "../src/api/session";
import { answerWith } from "./page";

const USER = { pk: 7, username: "juma", email: "", first_name: "", last_name: "" };
const IN = { access: "a", refresh: "", access_expires_in: 300, user: USER };

beforeEach(() => {
  features.phone_login = false;
});

/** Show a page of a shop whose cart's file is still on its way; what lets it come. */
function onASlowLine(page: ReactNode, at: string) {
  let come: (page: { default: () => ReactNode }) => void = () => undefined;
  const Cart = lazy(() => new Promise<{ default: () => ReactNode }>((done) => (come = done)));
  history.replaceState(null, "", at);
  render(
    <I18nProvider i18n={i18n}>
      <QueryClientProvider client={makeQueryClient()}>
        <BrowserRouter>
          <Link to="/cart">Cart</Link>
          <Suspense fallback={null}>
            <Routes>
              <Route path={at} element={page} />
              <Route path="/cart" element={<Cart />} />
              <Route path="*" element={<p>the front page</p>} />
            </Routes>
          </Suspense>
        </BrowserRouter>
      </QueryClientProvider>
    </I18nProvider>,
  );
  return () => act(async () => come({ default: () => <h1>Cart</h1> }));
}

it.each([
  ["signs in", <SignInPage key="in" />, "/sign-in", "POST /login/", "Sign in"],
  ["joins", <JoinPage key="join" />, "/join", "POST /registration/", "Create account"],
])("who %s and goes to the cart meanwhile comes to the cart", async (_, page, at, door, button) => {
  let answer: (body: unknown) => void = () => undefined;
  answerWith({ [door]: new Promise((done) => (answer = done)) });
  const come = onASlowLine(page, at);
  fireEvent.submit(screen.getByRole("button", { name: button }).closest("form") as HTMLElement);
  await screen.findByText("Please wait…");

  fireEvent.click(screen.getByRole("link", { name: "Cart" }));
  await act(async () => answer(IN));
  await waitFor(() => expect(session.user()).toBeTruthy());
  await come();

  expect(await screen.findByRole("heading", { name: "Cart" })).toBeTruthy();
  expect(location.pathname).toBe("/cart");
});

it("who stays on the page is led on", async () => {
  answerWith({ "POST /login/": IN });
  onASlowLine(<SignInPage />, "/sign-in");

  fireEvent.submit(screen.getByRole("button", { name: "Sign in" }).closest("form") as HTMLElement);

  expect(await screen.findByText("the front page")).toBeTruthy();
});
