import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import JoinPage from "../src/account/JoinPage";
import { readCode } from "../src/account/phoneCode";
import SignInPage from "../src/account/SignInPage";
import { features } from "../src/api/boot";
import { session } from "../src/api/session";
import { answerWith, json, show } from "./page";

const NOW = 1_800_000_000_000;
const USER = { pk: 7, username: "mteja-kqzwvbnm", email: "", first_name: "", last_name: "" };
const SENT = { detail: "x", token: "q0s3xqS8pXv1V0a7d2T9yA", expires_in: 600, again_in: 60 };
const IN = json(
  { access: "a", refresh: "", access_expires_in: 300, user: USER, is_new: true },
  201,
);
const WRONG = json({ code: ["This code is wrong, or over."] }, 400);
const refusal = (code: string, status: number, headers = {}) =>
  json({ detail: `As the shop says ${code}.`, code }, status, headers);

beforeEach(() => {
  vi.useRealTimers();
  session.end();
  features.phone_login = true;
});

/** Show signing in, and send a code; what typing one answers is `confirmed`. */
async function afterCodeSent(confirmed: Response = WRONG) {
  const asked = answerWith({ "POST /login/phone/": SENT, "POST /login/phone/confirm/": confirmed });
  show(<SignInPage />, { at: "/sign-in?to=/orders", path: "/sign-in" });
  fireEvent.input(screen.getByLabelText("Phone"), { target: { value: "0712 345 678" } });
  fireEvent.click(screen.getByRole("button", { name: "Send code by SMS" }));
  await screen.findByText(/We sent a code by SMS to/);
  return asked;
}

async function typeCode(code = "481516") {
  fireEvent.input(screen.getByLabelText("SMS code"), { target: { value: code } });
  fireEvent.click(screen.getByRole("button", { name: "Continue" }));
}

const bodyOf = (call: unknown[] | undefined) => (call?.[0] as Request | undefined)?.clone().json();

describe("signing in by phone", () => {
  it("asks for a Kenyan number, and sends nothing for another", async () => {
    const asked = answerWith({});
    show(<SignInPage />);
    fireEvent.input(screen.getByLabelText("Phone"), { target: { value: "12" } });
    fireEvent.click(screen.getByRole("button", { name: "Send code by SMS" }));

    expect(await screen.findByText(/Enter a Kenyan mobile number/)).toBeTruthy();
    expect(asked).not.toHaveBeenCalled();
  });

  it("has the phone offer the code, as a number, and puts the cursor there", async () => {
    await afterCodeSent();

    const field = screen.getByLabelText("SMS code");
    expect(field.getAttribute("autocomplete")).toBe("one-time-code");
    expect(field.getAttribute("inputmode")).toBe("numeric");
    expect(document.activeElement).toBe(field);
  });

  it("signs in with the code, and goes where somebody wanted to go", async () => {
    const asked = await afterCodeSent(IN);
    await typeCode("481 516");

    expect(await screen.findByText("elsewhere")).toBeTruthy();
    expect(session.user()).toEqual(USER);
    expect(await bodyOf(asked.mock.calls.at(-1))).toEqual({
      phone: "0712 345 678",
      token: SENT.token,
      code: "481516",
    });
  });

  it("counts the wrong ones, and asks for another code after five", async () => {
    await afterCodeSent();
    await typeCode();
    expect(await screen.findByText("Wrong code. You have 4 tries left.")).toBeTruthy();
    for (const left of ["3 tries", "2 tries", "1 try"]) {
      await typeCode();
      expect(await screen.findByText(`Wrong code. You have ${left} left.`)).toBeTruthy();
    }
    await typeCode();

    expect(await screen.findByText(/Too many wrong codes/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Continue" })).toBeNull();
  });

  it("takes no try for what is no code", async () => {
    const asked = await afterCodeSent();
    await typeCode("48151");

    expect(await screen.findByText("Enter the 6-digit code from the SMS.")).toBeTruthy();
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("counts down to another code, and to the end of this one, through a reload", async () => {
    vi.useFakeTimers({ now: NOW });
    const [again, until] = [NOW + 2_000, NOW + 4_000];
    const sent = { phone: "0712345678", token: "t", until, again, tries: 0 };
    sessionStorage.setItem("phone-code", JSON.stringify(sent));
    show(<SignInPage />);

    expect(screen.getByText(/Resend it in 2 seconds/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Resend code" })).toBeNull();
    act(() => void vi.advanceTimersByTime(2_000));
    expect(screen.getByRole("button", { name: "Resend code" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Continue" })).toBeTruthy();
    act(() => void vi.advanceTimersByTime(2_000));
    expect(screen.getByText(/This code has expired/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Continue" })).toBeNull();
  });

  it("says how many minutes to wait after too many wrong ones", async () => {
    await afterCodeSent(refusal("locked_out", 429, { "Retry-After": "290" }));
    await typeCode();

    expect(await screen.findByText(/Try again in 5 minutes/)).toBeTruthy();
  });

  it("asks for the password too where the number rested, and sends both", async () => {
    const asked = await afterCodeSent(refusal("password_needed", 400));
    await typeCode();
    expect(await screen.findByText(/has not been used here for a long time/)).toBeTruthy();
    const [door] = screen.getAllByLabelText("Password");
    fireEvent.input(door as HTMLElement, { target: { value: "sukuma" } });
    await typeCode();

    await waitFor(async () =>
      expect(await bodyOf(asked.mock.calls.at(-1))).toMatchObject({ password: "sukuma" }),
    );
  });

  it("leads back to the password where an account is opened with that alone", async () => {
    await afterCodeSent(refusal("use_password", 403));
    await typeCode();

    expect(await screen.findByText(/Sign in to this account with its password/)).toBeTruthy();
    await waitFor(() =>
      expect(screen.getByLabelText("User name or email").closest("form")?.hidden).toBe(false),
    );
  });

  it("hides the password while a code is typed", async () => {
    await afterCodeSent();

    expect(screen.getByLabelText("User name or email").closest("form")?.hidden).toBe(true);
    fireEvent.click(screen.getByRole("button", { name: "Use another number" }));
    expect(screen.getByLabelText("User name or email").closest("form")?.hidden).toBe(false);
  });

  it("says so where enough codes were sent", async () => {
    answerWith({ "POST /login/phone/": refusal("too_many_codes", 429, { "Retry-After": "60" }) });
    show(<SignInPage />);
    fireEvent.input(screen.getByLabelText("Phone"), { target: { value: "0712345678" } });
    fireEvent.click(screen.getByRole("button", { name: "Send code by SMS" }));

    expect(await screen.findByText("As the shop says too_many_codes.")).toBeTruthy();
  });

  it.each([
    ["the page", false],
    ["the shop", true],
  ])("is not offered where %s says it is off", async (_, isShownFirst) => {
    features.phone_login = isShownFirst;
    answerWith({ "POST /login/phone/": refusal("phone_login_off", 404) });
    show(<SignInPage />);
    if (isShownFirst) {
      fireEvent.input(screen.getByLabelText("Phone"), { target: { value: "0712345678" } });
      fireEvent.click(screen.getByRole("button", { name: "Send code by SMS" }));
    }

    await waitFor(() => expect(screen.queryByLabelText("Phone")).toBeNull());
    expect(screen.getByLabelText("User name or email")).toBeTruthy();
  });

  it("is how one joins too, without a name and a password", async () => {
    answerWith({ "POST /login/phone/": SENT, "POST /login/phone/confirm/": IN });
    show(<JoinPage />, { at: "/join?to=/checkout", path: "/join" });
    fireEvent.input(screen.getByLabelText("Phone"), { target: { value: "0712345678" } });
    fireEvent.click(screen.getByRole("button", { name: "Send code by SMS" }));
    await screen.findByText(/We sent a code by SMS to/);
    await typeCode();

    expect(await screen.findByText("elsewhere")).toBeTruthy();
  });

  it.each([
    ["481516", "481516"],
    ["481 516", "481516"],
    ["48151", null],
    ["481516 is yours", null],
  ])("reads %s as %s", (typed, code) => {
    expect(readCode(typed)).toBe(code);
  });
});
