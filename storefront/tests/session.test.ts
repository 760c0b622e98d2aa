import { beforeEach, describe, expect, it, vi } from "vitest";
import { answerWith, json } from "./page";

const USER = { pk: 7, username: "wanjiku", email: "", first_name: "", last_name: "" };

/** An access token that lives so many seconds, by the shop's clock. */
function token(seconds: number, name = "a"): string {
  const part = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, "");
  return `${part({})}.${part({ iat: 1_000_000, exp: 1_000_000 + seconds, name })}.x`;
}

async function fresh() {
  vi.resetModules();
  return (await import("../src/api/session")).session;
}

beforeEach(() => vi.useRealTimers());

describe("a session", () => {
  it("counts a token's life from when it came, whatever the phone's clock says", async () => {
    const { endOf } = await import("../src/api/session");
    expect(endOf(token(300), 5_000_000)).toBe(5_300_000);
    expect(endOf("nonsense", 5)).toBe(5);
  });

  it("sends the token it has, and renews it once it is about to end", async () => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    const session = await fresh();
    const asked = answerWith({
      "POST /token/refresh/": { access: token(300, "second"), refresh: "r2" },
    });
    session.begin({ access: token(300), refresh: "r1" }, USER);
    expect(await session.access()).toBe(token(300));
    vi.setSystemTime(1_700_000_000_000 + 285_000);
    expect(await session.access()).toBe(token(300, "second"));
    expect(asked).toHaveBeenCalledTimes(1);
    expect(session.refreshToken()).toBe("r2");
  });

  it("renews once for many who ask at once", async () => {
    localStorage.setItem("session", JSON.stringify({ refresh: "r1", user: USER }));
    const session = await fresh();
    const asked = answerWith({ "POST /token/refresh/": { access: token(300), refresh: "r2" } });
    await Promise.all([session.access(), session.access(), session.access()]);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("asks again under the same key where an answer was lost", async () => {
    localStorage.setItem("session", JSON.stringify({ refresh: "r1", user: USER }));
    const session = await fresh();
    const keys: (string | null)[] = [];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      keys.push(new Headers(init.headers).get("Idempotency-Key"));
      if (keys.length === 1) throw new TypeError("network");
      return json({ access: token(300), refresh: "r2" });
    });
    expect(await session.access()).toBe(token(300));
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it("is over where the shop says so, and not where the network is gone", async () => {
    localStorage.setItem("session", JSON.stringify({ refresh: "r1", user: USER }));
    const session = await fresh();
    answerWith({ "POST /token/refresh/": new TypeError("network") });
    await expect(session.access()).rejects.toThrow();
    expect(session.user()).toEqual(USER);
    answerWith({ "POST /token/refresh/": json({ detail: "x", code: "token_spent" }, 401) });
    expect(await session.access()).toBeNull();
    expect(session.user()).toBeNull();
    expect(localStorage.getItem("session")).toBeNull();
  });

  it("ends here when it ends in another tab", async () => {
    localStorage.setItem("session", JSON.stringify({ refresh: "r1", user: USER }));
    const session = await fresh();
    const told = vi.fn();
    session.subscribe(told);
    localStorage.removeItem("session");
    dispatchEvent(new StorageEvent("storage", { key: "session" }));
    expect(told).toHaveBeenCalled();
    expect(session.user()).toBeNull();
  });
});
