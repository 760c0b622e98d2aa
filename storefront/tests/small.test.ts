import { i18n } from "@lingui/core";
import { describe, expect, it, vi } from "vitest";
import { ownPath, signInFrom } from "../src/account/ownPath";
import { nextCursor } from "../src/api/client";
import { ApiError, lineErrors } from "../src/api/errors";
import { filtersOf } from "../src/api/queries";
import { productPath } from "../src/catalogue/categories";
import { beginAttempt, endAttempt, waitingAttempt } from "../src/checkout/attempt";
import { isMpesaNumber } from "../src/checkout/mpesaNumber";
import { clock, day, minutes, money, phone, typedPhone } from "../src/i18n/format";
import { saveFile } from "../src/ui/saveFile";
import { json } from "./page";

describe("addresses", () => {
  it.each([
    ["/orders", "/orders"],
    ["/pay/x?y=1", "/pay/x?y=1"],
    ["//evil.example", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example", "/"],
    ["/sign-in?to=/sign-in", "/"],
    ["", "/"],
    [null, "/"],
  ])("after signing in %s leads to %s", (to, path) => {
    expect(ownPath(to)).toBe(path);
  });

  it.each([
    ["/checkout", "", "/sign-in?to=%2Fcheckout"],
    ["/search", "?search=sofa&page=2", "/sign-in?to=%2Fsearch%3Fsearch%3Dsofa%26page%3D2"],
    ["/sign-in", "?to=/checkout", "/sign-in?to=/checkout"],
    ["/join", "?to=%2Fcheckout", "/sign-in?to=%2Fcheckout"],
    ["/password/reset", "", "/sign-in"],
    ["/email/confirm/x", "", "/sign-in"],
    ["/account/deleted", "", "/sign-in"],
    ["/", "", "/sign-in"],
  ])("who signs in from %s%s goes to %s", (pathname, search, path) => {
    expect(signInFrom({ pathname, search })).toBe(path);
  });

  it("of products have words of letters and digits", () => {
    expect(productPath({ id: 4, name: "Café “Nyeri” 1.7 L!" })).toBe("/product/4-cafe-nyeri-1-7-l");
    expect(productPath({ id: 4, name: "茶" })).toBe("/product/4");
  });

  it("keep the filters they name, and nothing else", () => {
    const params = new URLSearchParams("ordering=price&min_price=&utm_source=x");
    expect(filtersOf(params)).toEqual({ ordering: "price" });
  });
});

describe("answers", () => {
  it("name the next page in their Link header", () => {
    const link = '<http://h/product/kitchen/?page_size=25&cursor=abc%3D>; rel="next"';
    expect(nextCursor(json([], 200, { Link: link }))).toBe("abc=");
    expect(nextCursor(json([]))).toBeNull();
  });

  it("give each line's error in the order sent", () => {
    const body = { order: [{}, { number: ["Only 3 left."] }] };
    expect(lineErrors(new ApiError(json(body, 400), body))).toEqual([null, "Only 3 left."]);
    expect(lineErrors(new Error("x"))).toEqual([]);
  });

  it("say what is wrong with one of several pictures", () => {
    const body = { pictures: { "1": ["This is not a picture."] } };
    expect(new ApiError(json(body, 400), body).field("pictures")).toBe("This is not a picture.");
  });

  it("say how long to wait, and what to tell the staff", () => {
    const headers = { "Retry-After": "7", "X-Request-ID": "ab" };
    const error = new ApiError(json({}, 429, headers), {});
    expect([error.retryAfter, error.requestId]).toEqual([7, "ab"]);
  });
});

describe("money, moments, phones", () => {
  it("is written as in Kenya, in both languages", () => {
    expect(money(1234567)).toBe("KES\u00a01,234,567");
    expect(phone("254712345678")).toBe("0712\u00a0345\u00a0678");
    expect(typedPhone("254712345678")).toBe("0712 345 678");
    expect(minutes(67.2)).toBe("1:08");
    expect(minutes(-3)).toBe("0:00");
    expect(clock("2026-11-24T11:32:00Z")).toBe("14:32");
    i18n.activate("sw");
    expect(day("2026-11-24T22:00:00Z")).toContain("25");
    i18n.activate("en");
    expect(day("2026-11-24T22:00:00Z")).toBe("25 Nov 2026");
  });

  it.each([
    ["0712345678", true],
    ["+254 712-345 678", true],
    ["254112345678", true],
    ["712345678", true],
    ["0612345678", false],
    ["071234567", false],
    ["07123456789", false],
    ["", false],
  ])("reads %s as a mobile number: %s", (typed, is) => {
    expect(isMpesaNumber(typed)).toBe(is);
  });
});

describe("a press of the button", () => {
  const body = { order: [{ product: 1, number: 1, price: 5 }], amount: 5, mpesa_number: "07" };

  it("keeps its key until it is answered, through a reload", () => {
    const first = beginAttempt(body, 7);
    expect(beginAttempt({ ...body }, 7).key).toBe(first.key);
    expect(waitingAttempt(7)?.key).toBe(first.key);
    endAttempt();
    expect(waitingAttempt(7)).toBeNull();
    expect(beginAttempt(body, 7).key).not.toBe(first.key);
  });

  it("is another one for another body and for another person", () => {
    const first = beginAttempt(body, 7);
    expect(waitingAttempt(8)).toBeNull();
    expect(beginAttempt({ ...body, amount: 6 }, 7).key).not.toBe(first.key);
  });
});

describe("a file that is saved", () => {
  it("can still be read after the click, as some browsers do", () => {
    vi.useFakeTimers();
    const revoke = vi.fn();
    vi.stubGlobal(
      "URL",
      Object.assign(URL, { createObjectURL: () => "blob:1", revokeObjectURL: revoke }),
    );
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);

    saveFile("statement.csv", new Blob(["a,b"]));
    const revokedAtOnce = revoke.mock.calls.length;
    vi.advanceTimersByTime(60_000);

    expect([revokedAtOnce, revoke.mock.calls]).toEqual([0, [["blob:1"]]]);
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
});
