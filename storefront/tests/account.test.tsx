import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import AccountDeletedPage, { IS_DELETED } from "../src/account/AccountDeletedPage";
import AccountPage from "../src/account/AccountPage";
import DeleteAccountPage from "../src/account/DeleteAccountPage";
import { session } from "../src/api/session";
import { guestOrders } from "../src/orders/guestOrders";
import { answerWith, json, show } from "./page";

/** An access token that is good for an hour. */
const ACCESS = `x.${btoa(JSON.stringify({ iat: 1_000_000, exp: 1_003_600 }))}.x`;
const SENT = { detail: "On its way.", token: "q0s3xq", expires_in: 600, again_in: 60 };
const BY_PASSWORD = { phone: "", is_only_way_in: false };
const BY_PHONE = { phone: "254712345678", is_only_way_in: true };

beforeEach(() => {
  session.begin(
    { access: ACCESS, refresh: "r" },
    { pk: 7, username: "amina", email: "", first_name: "", last_name: "" },
  );
});
afterEach(() => session.end());

function visit(page: React.ReactNode, answers: Record<string, unknown>) {
  const asked = answerWith({ "GET /account/phone/": BY_PASSWORD, ...answers });
  show(page, { at: "/account/x", path: "/account/x" });
  return () =>
    asked.mock.calls.map(([it]) => it as Request).filter(({ method }) => method !== "GET");
}

const press = async (name: string) => fireEvent.click(await screen.findByRole("button", { name }));
const type = (label: string, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });

describe("leaving", () => {
  const agree = () => fireEvent.click(screen.getByLabelText(/^I understand this/));

  it("by password leads to where it is said", async () => {
    const sent = visit(<DeleteAccountPage />, { "POST /account/delete/": { detail: "Gone." } });
    await screen.findByLabelText("Your password");
    type("Your password", "sukuma");
    agree();
    await press("Delete my account");
    expect(await screen.findByText("elsewhere")).toBeTruthy();
    expect(await sent()[0]?.clone().json()).toEqual({ password: "sukuma" });
  });

  it.each([
    [IS_DELETED, true],
    [null, false],
  ])("forgets the person in this browser, but nobody by a mere link (%s)", async (state, gone) => {
    localStorage.setItem("mpesa-number", '"0712345678"');
    answerWith({});
    show(<AccountDeletedPage />, { at: { pathname: "/account/deleted", state } });
    await screen.findByRole("heading", { name: "Your account is deleted" });
    await waitFor(() => expect(localStorage.length === 0).toBe(gone));
    expect(session.user() === null).toBe(gone);
  });

  it("by a code where the phone is the only way in", async () => {
    const sent = visit(<DeleteAccountPage />, {
      "GET /account/phone/": BY_PHONE,
      "POST /account/phone/code/": SENT,
      "POST /account/delete/": { detail: "Gone." },
    });
    await press("Send me a code");
    await screen.findByLabelText("6-digit SMS code");
    expect(screen.getByText(/^Resend in \d+ s$/)).toBeTruthy();
    type("6-digit SMS code", "481 516");
    agree();
    await press("Delete my account");
    await screen.findByText("elsewhere");
    expect(await sent()[1]?.clone().json()).toEqual({ token: "q0s3xq", phone_code: "481516" });
  });

  it("is refused while something is under way, with the way to it", async () => {
    const under_way = [
      { what: "unpaid_order", reference: "PR7KWQ4M", order_token: "1c7c" },
      { what: "goods_to_hand_over", reference: "AB7KWQ4M" },
      { what: "problem", reference: "CD7KWQ4M", order_token: "3c7c" },
      { what: "problem", reference: "EF7KWQ4M" },
      { what: "money_owed", amount: 3515 },
    ];
    visit(<DeleteAccountPage />, {
      "POST /account/delete/": json({ detail: "Not yet.", code: "under_way", under_way }, 409),
    });
    await screen.findByLabelText("Your password");
    type("Your password", "sukuma");
    agree();
    await press("Delete my account");
    expect(await screen.findByText(/^Your account cannot be deleted yet/)).toBeTruthy();
    const ways = ["PR7KWQ4M", "AB7KWQ4M", "CD7KWQ4M", "EF7KWQ4M"].map((name) =>
      screen.getByRole("link", { name }).getAttribute("href"),
    );
    expect(ways).toEqual([
      "/pay/1c7c",
      "/selling/orders?order=AB7KWQ4M",
      "/orders/3c7c",
      "/selling/problems",
    ]);
    expect(
      screen.getByText(/There is an unsettled balance between you and the shop: KES.3,515/),
    ).toBeTruthy();
    expect(session.user()).not.toBeNull();
  });

  it("gives up what is too little to be sent, once its seller says so", async () => {
    const under_way = [{ what: "money_owed", amount: 7, renounceable: true }];
    const sent = visit(<DeleteAccountPage />, {
      "POST /account/delete/": json({ detail: "Not yet.", code: "under_way", under_way }, 409),
    });
    await screen.findByLabelText("Your password");
    type("Your password", "sukuma");
    agree();
    await press("Delete my account");
    const giveUp = await screen.findByLabelText(/^The shop owes you KES.7, less than M-Pesa can/);
    await press("Delete my account");
    await waitFor(() => expect(sent()).toHaveLength(2));
    fireEvent.click(giveUp);
    await press("Delete my account");
    await waitFor(() => expect(sent()).toHaveLength(3));
    expect(await Promise.all(sent().map((each) => each?.clone().json()))).toEqual([
      { password: "sukuma" },
      { password: "sukuma" },
      { password: "sukuma", renounce: 7 },
    ]);
  });

  it.each([
    [{ password: ["This is not your password."] }, 400, "This is not your password."],
    [{ detail: "You work for the shop.", code: "staff_account" }, 409, "You work for the shop."],
  ])("says why not: %j", async (body, status, said) => {
    visit(<DeleteAccountPage />, { "POST /account/delete/": json(body, status) });
    await screen.findByLabelText("Your password");
    type("Your password", "x");
    agree();
    await press("Delete my account");
    expect(await screen.findByText(said)).toBeTruthy();
  });

  it("asks for the authenticator's code where there is one", async () => {
    const sent = visit(<DeleteAccountPage />, {
      "POST /account/delete/": json({ detail: "And the code.", code: "mfa_required" }, 400),
    });
    await screen.findByLabelText("Your password");
    type("Your password", "sukuma");
    agree();
    await press("Delete my account");
    await screen.findByLabelText("Authenticator app code");
    type("Authenticator app code", "123456");
    await press("Delete my account");
    await waitFor(() => expect(sent()).toHaveLength(2));
    expect(await sent()[1]?.clone().json()).toEqual({ password: "sukuma", code: "123456" });
  });
});

describe("taking one's data along", () => {
  it("keeps the file under the shop's name for it", async () => {
    const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    visit(<AccountPage />, {
      "GET /account/export/": json({ person: [] }, 200, {
        "Content-Disposition": 'attachment; filename="omache-7-2026-11-28.json"',
      }),
    });
    await press("Download your data");
    expect(await screen.findByText("Saved to your downloads.")).toBeTruthy();
    expect((clicked.mock.contexts[0] as HTMLAnchorElement).download).toBe(
      "omache-7-2026-11-28.json",
    );
    clicked.mockRestore();
  });
});

describe("the email", () => {
  const mailedAt = (email: string, email_confirmed: boolean) => ({
    ...{ pk: 7, username: "amina", first_name: "", last_name: "", phone: "" },
    ...{ email, email_confirmed },
  });

  it("is added with the password, and is confirmed by the link that was sent there", async () => {
    const sent = visit(<AccountPage />, {
      "GET /user/": mailedAt("", false),
      "PATCH /user/": mailedAt("amina@example.com", false),
      "POST /registration/resend-email/": { detail: "ok" },
    });
    await press("Add an email");
    type("New email", "amina@example.com");
    type("Your password", "sukuma");
    await press("Save email");
    expect(await screen.findByText(/is not confirmed\. Open the link/)).toBeTruthy();
    await press("Send the link again");
    expect(await screen.findByText(/If none has come by tomorrow/)).toBeTruthy();
    const [change, again] = sent();
    expect(await change?.clone().json()).toEqual({
      email: "amina@example.com",
      password: "sukuma",
    });
    expect(new URL(again?.url ?? "").pathname).toBe("/registration/resend-email/");
  });

  it("is shown once it is confirmed, and stays where the password was wrong", async () => {
    visit(<AccountPage />, {
      "GET /user/": mailedAt("amina@example.com", true),
      "PATCH /user/": json({ password: ["Give your password to change your e-mail."] }, 400),
    });
    await press("Use another email");
    expect(screen.queryByText(/is not confirmed/)).toBeNull();
    type("New email", "neema@example.com");
    type("Your password", "x");
    await press("Save email");
    expect(await screen.findByText("Give your password to change your e-mail.")).toBeTruthy();
    expect(screen.getByText("amina@example.com")).toBeTruthy();
  });

  it("needs a password first", async () => {
    visit(<AccountPage />, {
      "GET /account/phone/": BY_PHONE,
      "GET /user/": mailedAt("", false),
    });
    await screen.findByRole("button", { name: "Set a password" });
    expect(screen.queryByRole("heading", { name: "Email" })).toBeNull();
  });
});

describe("the phone one signs in with", () => {
  it("is linked by the password and a code", async () => {
    const sent = visit(<AccountPage />, {
      "POST /account/phone/": SENT,
      "POST /account/phone/confirm/": { phone: "254712345678", is_only_way_in: false },
    });
    await press("Link a phone");
    type("Phone number", "0712 345 678");
    type("Your password", "sukuma");
    await press("Send me a code");
    await screen.findByLabelText("6-digit SMS code");
    type("6-digit SMS code", "481516");
    guestOrders.add({ token: "t", phone: "0712345678" });
    await press("Link this phone");
    expect(await screen.findByText("0712 345 678")).toBeTruthy();
    // They are among the account's orders from now on.
    expect(guestOrders.has("t")).toBe(false);
    const bodies = await Promise.all(sent().map((request) => request.clone().json()));
    expect(bodies).toEqual([
      { phone: "0712 345 678", password: "sukuma" },
      { phone: "0712 345 678", token: "q0s3xq", code: "481516" },
    ]);
  });

  it("says which field was wrong", async () => {
    visit(<AccountPage />, {
      "POST /account/phone/": json({ password: ["This is not your password."] }, 400),
    });
    await press("Link a phone");
    type("Phone number", "0712 345 678");
    type("Your password", "x");
    await press("Send me a code");
    expect(await screen.findByText("This is not your password.")).toBeTruthy();
  });

  it("is not spoken of where the shop sends no codes", async () => {
    visit(<AccountPage />, {
      "GET /account/phone/": json({ detail: "No.", code: "phone_login_off" }, 404),
    });
    await screen.findByRole("heading", { name: "Password" });
    await waitFor(() =>
      expect(screen.queryByRole("heading", { name: "Sign in with your phone" })).toBeNull(),
    );
  });

  it("is not taken away where it is the only way in, and a password is chosen by a code", async () => {
    const sent = visit(<AccountPage />, {
      "GET /account/phone/": BY_PHONE,
      "POST /account/phone/code/": SENT,
      "POST /password/set/": { access: ACCESS, refresh: "r2", detail: "Saved." },
    });
    expect(await screen.findByText(/^It is your only way to sign in/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Use another phone" })).toBeNull();
    await press("Set a password");
    await screen.findByLabelText("6-digit SMS code");
    type("6-digit SMS code", "481516");
    type("New password", "githeri 4 chapati");
    await press("Save password");
    await waitFor(() => expect(sent()).toHaveLength(2));
    expect(await sent()[1]?.clone().json()).toMatchObject({ token: "q0s3xq", code: "481516" });
  });
});

describe("where one is signed in", () => {
  const here = {
    id: 1,
    kind: "api",
    started_at: "2026-11-24T08:15:00Z",
    last_used_at: "2026-11-24T08:15:00Z",
    expires_at: "2026-12-24T08:15:00Z",
    address: "197.232.1.9",
    device: "Chrome on Android",
    current: true,
  };

  it("is ended everywhere at once, here too", async () => {
    const sent = visit(<AccountPage />, {
      "GET /account/sessions/": [here, { ...here, id: 2, current: false }],
      "POST /account/sessions/end-all/": { ended: 2 },
    });
    await press("Sign out everywhere");
    await press("Yes, sign out everywhere");
    await waitFor(() => expect(session.user()).toBeNull());
    expect(sent().map(({ url }) => new URL(url).pathname)).toEqual(["/account/sessions/end-all/"]);
  });

  it("has nothing to end elsewhere where this is the only one", async () => {
    visit(<AccountPage />, { "GET /account/sessions/": [here] });
    expect(await screen.findByText("This device")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Sign out everywhere" })).toBeNull();
  });
});

describe("the door to delivering", () => {
  it.each([
    [["delivery"], true],
    [["support"], false],
  ])("is there for %j: %s", async (roles, is_there) => {
    visit(<AccountPage />, {
      "GET /me/": { is_seller: true, roles, counts: { unpaid_orders: 0, to_hand_over: 0 } },
    });
    await screen.findByRole("link", { name: "Your sales" });
    expect(screen.queryByRole("link", { name: "Deliveries" }) !== null).toBe(is_there);
  });
});
