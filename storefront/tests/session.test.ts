import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerWith, json } from "./page";

const USER = { pk: 7, username: "wanjiku", email: "", first_name: "", last_name: "" };
const OTHER = { ...USER, pk: 8, username: "otieno" };

/** A page that is loaded anew; `stored`: what it finds. */
async function fresh(stored: Record<string, unknown> = {}) {
  for (const [key, value] of Object.entries(stored)) {
    localStorage.setItem(key, JSON.stringify(value));
  }
  vi.resetModules();
  return (await import("../src/api/session")).session;
}

type Sent = { path: string; headers: Headers; body: unknown };

/** Answer each request by turns, and keep what was sent. */
function answerInTurn(...answers: (Response | Error)[]): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    const answer = answers[sent.length] ?? json({}, 500);
    sent.push({ path, headers: new Headers(init.headers), body: JSON.parse(String(init.body)) });
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return sent;
}

const renewed = (access: string) => json({ access, refresh: "", access_expires_in: 300 });
const keyOf = (sent: Sent | undefined) => sent?.headers.get("Idempotency-Key");
const lost = () => new TypeError("network");

/** Another tab changes what is stored. */
function otherTab(user: typeof USER | null): void {
  if (user) localStorage.setItem("session", JSON.stringify({ user }));
  else localStorage.removeItem("session");
  dispatchEvent(new StorageEvent("storage", { key: "session" }));
}

beforeEach(() => vi.useRealTimers());
afterEach(() => vi.unstubAllGlobals());

describe("a session", () => {
  it("asks nothing where nobody is signed in", async () => {
    const session = await fresh();
    const sent = answerInTurn();

    expect(await session.access()).toBeNull();
    expect(sent).toEqual([]);
  });

  it("keeps no token where a script could read it, only who it is", async () => {
    const session = await fresh();

    session.begin({ access: "secret", refresh: "", access_expires_in: 300 }, USER);

    expect(Object.keys(localStorage)).toEqual(["session"]);
    expect(JSON.parse(localStorage.getItem("session") ?? "")).toEqual({ user: USER });
  });

  it("goes on from the cookie after a page was loaded anew, by one question", async () => {
    const session = await fresh({ session: { user: USER } });
    const sent = answerInTurn(renewed("a1"));

    expect(await Promise.all([session.access(), session.access()])).toEqual(["a1", "a1"]);
    expect(await session.access()).toBe("a1");
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ path: "/token/refresh/", body: {} });
    expect(sent[0]?.headers.get("Token-Transport")).toBe("cookie");
  });

  it("renews by the seconds that the answer names, whatever the phone's clock says", async () => {
    vi.useFakeTimers({ now: 1_000 });
    const session = await fresh();
    const sent = answerInTurn(renewed("a2"));
    session.begin({ access: "a1", access_expires_in: 60 }, USER);

    vi.setSystemTime(1_000 + 39_000);
    expect(await session.access()).toBe("a1");
    vi.setSystemTime(1_000 + 41_000);
    expect(await session.access()).toBe("a2");
    expect(sent).toHaveLength(1);
  });

  it("asks again under the same key where an answer was lost", async () => {
    const session = await fresh({ session: { user: USER } });
    const sent = answerInTurn(lost(), renewed("a1"));

    expect(await session.access()).toBe("a1");
    expect(keyOf(sent[0])).toMatch(/^[0-9a-f]{32}$/);
    expect(keyOf(sent[1])).toBe(keyOf(sent[0]));
  });

  it("keeps the key through a reload until there is an answer, and takes another one then", async () => {
    const first = answerInTurn(lost(), lost());
    await expect((await fresh({ session: { user: USER } })).access()).rejects.toThrow();

    const session = await fresh();
    const second = answerInTurn(renewed("a1"), renewed("a2"));
    await session.access();
    session.refused("a1");
    await session.access();

    expect(keyOf(second[0])).toBe(keyOf(first[0]));
    expect(keyOf(second[1])).not.toBe(keyOf(first[0]));
  });

  it("takes no answer for none: it is asked for anew, and nobody is signed out", async () => {
    vi.useFakeTimers();
    const session = await fresh({ session: { user: USER } });
    vi.stubGlobal(
      "fetch",
      (_: string, { signal }: RequestInit) =>
        new Promise((_, fail) => signal?.addEventListener("abort", () => fail(lost()))),
    );

    const asked = expect(session.access()).rejects.toThrow("network");
    await vi.advanceTimersByTimeAsync(31_000);
    await asked;
    expect(session.user()).toEqual(USER);
  });

  it("is over where the shop says so, in every tab", async () => {
    const session = await fresh({ session: { user: USER } });
    answerInTurn(json({ detail: "x", code: "session_ended" }, 401));

    expect(await session.access()).toBeNull();
    expect(session.user()).toBeNull();
    expect(localStorage.getItem("session")).toBeNull();
  });

  it("is not over where the shop is busy, or asks to wait", async () => {
    const session = await fresh({ session: { user: USER } });
    answerInTurn(json({ detail: "x", code: "throttled" }, 429, { "Retry-After": "7" }));

    await expect(session.access()).rejects.toMatchObject({ status: 429, retryAfter: 7 });
    expect(session.user()).toEqual(USER);
  });

  it("sends one person's token for nobody else who signs in in another tab", async () => {
    const session = await fresh();
    session.begin({ access: "hers", access_expires_in: 300 }, USER);
    const sent = answerInTurn(renewed("his"));

    otherTab(OTHER);

    expect(session.user()).toEqual(OTHER);
    expect(await session.access()).toBe("his");
    expect(sent).toHaveLength(1);
  });

  it("ends here when it ends in another tab", async () => {
    const session = await fresh({ session: { user: USER } });
    const told = vi.fn();
    session.subscribe(told);

    otherTab(null);

    expect(told).toHaveBeenCalled();
    expect(session.user()).toBeNull();
    expect(await session.access()).toBeNull();
  });

  it("moves a token that a page of before kept into the cookie, once, and forgets it", async () => {
    const session = await fresh({ session: { user: USER, refresh: "r1" } });
    const sent = answerInTurn(renewed("a1"), renewed("a2"));

    await session.access();
    expect(sent[0]?.body).toEqual({ refresh: "r1" });
    expect(JSON.parse(localStorage.getItem("session") ?? "")).toEqual({ user: USER });

    session.refused("a1");
    await session.access();
    expect(sent[1]?.body).toEqual({});
  });
});

describe("signing out", () => {
  it("is over here at once, and has the shop take the cookie away", async () => {
    const session = await fresh({ session: { user: USER } });
    const sent = answerInTurn(json({ detail: "x" }));

    const done = session.signOut();
    expect(session.user()).toBeNull();
    await done;

    expect(sent).toHaveLength(1);
    expect(sent[0]?.path).toBe("/token/logout/");
    expect(sent[0]?.headers.get("Token-Transport")).toBe("cookie");
    expect(localStorage.length).toBe(0);
  });

  it("without a network is told the shop later, once", async () => {
    const sent = answerInTurn(lost(), json({ detail: "x" }));
    const session = await fresh({ session: { user: USER } });
    await session.signOut();
    expect(sent).toHaveLength(1);

    await session.finishLeaving();
    await session.finishLeaving();

    expect(sent).toHaveLength(2);
  });

  it("is waited for by who signs in next: its answer would take the new cookie", async () => {
    const session = await fresh({ session: { user: USER } });
    const order: string[] = [];
    vi.stubGlobal("fetch", async (asked: Request | string) => {
      const path = typeof asked === "string" ? asked : new URL(asked.url).pathname;
      order.push(`asked ${path}`);
      await new Promise((later) => setTimeout(later, 5));
      order.push(`answered ${path}`);
      return json({ access: "a", access_expires_in: 300, user: OTHER });
    });
    const { publicApi, dataOf } = await import("../src/api/client");

    void session.signOut();
    await dataOf(publicApi.POST("/login/", { body: { username: "otieno", password: "x" } }));

    expect(order.slice(0, 3)).toEqual([
      "asked /token/logout/",
      "answered /token/logout/",
      "asked /login/",
    ]);
  });
});

describe("a request of somebody's", () => {
  const READ = "GET /account/";

  it("whose token was refused is sent once more with a new one", async () => {
    const session = await fresh();
    session.begin({ access: "old", access_expires_in: 300 }, USER);
    const tokens: (string | null)[] = [];
    vi.stubGlobal("fetch", async (asked: Request | string) => {
      if (typeof asked === "string") return renewed("new");
      tokens.push(asked.headers.get("Authorization"));
      return tokens.length === 1 ? json({ code: "token_not_valid" }, 401) : json({ gender: "" });
    });
    const { userApi, dataOf } = await import("../src/api/client");

    expect(await dataOf(userApi.GET("/account/"))).toEqual({ gender: "" });
    expect(tokens).toEqual(["Bearer old", "Bearer new"]);
  });

  it("finds that the session has ended elsewhere", async () => {
    const session = await fresh();
    session.begin({ access: "old", access_expires_in: 300 }, USER);
    answerWith({ [READ]: json({}, 401), "POST /token/refresh/": json({}, 401) });
    const { userApi, dataOf } = await import("../src/api/client");

    await expect(dataOf(userApi.GET("/account/"))).rejects.toMatchObject({ status: 401 });
    expect(session.user()).toBeNull();
  });

  it.each(["/login/", "/registration/", "/login/phone/confirm/"] as const)(
    "that signs in at %s asks for the cookie",
    async (path) => {
      await fresh();
      const asked = answerWith({});
      const { publicApi } = await import("../src/api/client");

      await publicApi.POST(path, { body: {} as never });

      const [request] = asked.mock.calls[0] ?? [];
      expect((request as Request).headers.get("Token-Transport")).toBe("cookie");
    },
  );
});
