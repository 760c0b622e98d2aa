import { QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connection } from "../src/api/connection";
import { ApiError, NoAnswer } from "../src/api/errors";
import { makeQueryClient } from "../src/api/queries";
import { cacheResponses, clearResponseCache, MOST } from "../src/api/responseCache";
import { session } from "../src/api/session";
import { json } from "./page";

const ends: (() => void)[] = [];

/** A page that was just opened, with all that this browser keeps. */
function aPage() {
  const client = makeQueryClient();
  const end = cacheResponses(client, (token) => token === "guests");
  ends.push(end);
  return { client, close: end };
}
const known = (key: unknown[]) => {
  const { client } = aPage();
  // As a page looks: it observes, and asks nothing here.
  new QueryObserver(client, { queryKey: key, enabled: false }).getCurrentResult();
  return client.getQueryData(key);
};
const signIn = (pk: number) =>
  session.begin({ access: "a.b.c", refresh: "r" }, { pk, username: `u${pk}` } as never);

beforeEach(() => localStorage.clear());
afterEach(() => {
  for (const end of ends.splice(0)) end();
  session.end();
  connection.answered();
});

describe("what was read", () => {
  it("is there the next time, before anything is asked", () => {
    const { client, close } = aPage();
    client.setQueryData(["product", 41], { id: 41 });
    close();

    expect(known(["product", 41])).toEqual({ id: 41 });
  });

  it("is not kept where nobody said that it may be", () => {
    const { client, close } = aPage();
    client.setQueryData(["sessions"], [1]);
    close();

    expect(localStorage.length).toBe(0);
  });

  it("of somebody's own is theirs alone, and gone once they sign out", () => {
    signIn(1);
    const { client, close } = aPage();
    client.setQueryData(["order", "x"], { code: "123456" });
    close();
    expect(known(["order", "x"])).toEqual({ code: "123456" });

    signIn(2);
    expect(known(["order", "x"])).toBeUndefined();
    signIn(1);
    expect(known(["order", "x"])).toBeUndefined();
    expect(JSON.stringify({ ...localStorage })).not.toContain("123456");
  });

  it("by who signed out before it was written down is not written down", () => {
    signIn(1);
    const { client, close } = aPage();
    client.setQueryData(["order", "x"], { code: "123456" });
    session.end();
    close();

    expect(JSON.stringify({ ...localStorage })).not.toContain("123456");
  });

  it("without anybody signed in is never somebody's own", () => {
    const { client, close } = aPage();
    client.setQueryData(["order", "x"], { code: "123456" });
    close();

    expect(localStorage.length).toBe(0);
  });

  it("of an order placed here without an account stays, whoever signs in and out", () => {
    const { client, close } = aPage();
    client.setQueryData(["order", "guests"], { reference: "K7" });
    client.setQueryData(["track", "guests"], { code: "123456" });
    close();

    signIn(1);
    session.end();

    expect(known(["order", "guests"])).toEqual({ reference: "K7" });
    expect(known(["track", "guests"])).toBeUndefined();
  });

  it("of another version is forgotten", () => {
    localStorage.setItem('kept:older::["product",41]', '1 {"at":1,"data":{}}');

    aPage();

    expect(localStorage.length).toBe(0);
  });

  it("long ago is not shown", () => {
    const { client, close } = aPage();
    client.setQueryData(["product", 41], { id: 41 }, { updatedAt: Date.now() - 31 * 86_400_000 });
    close();

    expect(known(["product", 41])).toBeUndefined();
  });

  it("makes place for what was read later", () => {
    const { client, close } = aPage();
    for (let id = 0; id <= MOST.answers; id++) {
      client.setQueryData(["product", id], { id }, { updatedAt: Date.now() - 100_000 + id });
    }
    close();

    expect(localStorage.length).toBe(MOST.answers);
    expect(known(["product", 0])).toBeUndefined();
    expect(known(["product", MOST.answers])).toEqual({ id: MOST.answers });
  });

  it("stays on the page without a line, and goes with a 404", async () => {
    const { client, close } = aPage();
    client.setQueryData(["product", 41], { id: 41 });
    close();
    const again = aPage().client;
    const ask = (error: Error) =>
      again.fetchQuery({
        queryKey: ["product", 41],
        queryFn: () => Promise.reject(error),
        retry: false,
        staleTime: 0,
      });

    await ask(new NoAnswer("no line")).catch(() => undefined);
    expect(again.getQueryData(["product", 41])).toEqual({ id: 41 });
    await ask(new ApiError(json({}, 404), {})).catch(() => undefined);

    expect(again.getQueryData(["product", 41])).toBeUndefined();
    expect(localStorage.length).toBe(0);
  });

  it("is all forgotten where a page broke", () => {
    const { client, close } = aPage();
    client.setQueryData(["home"], {});
    close();

    clearResponseCache();

    expect(localStorage.length).toBe(0);
  });

  it("is no reason to fail where storage is shut", () => {
    const shut = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    const { client, close } = aPage();
    client.setQueryData(["home"], {});

    expect(close).not.toThrow();
    shut.mockRestore();
  });
});

describe("the line", () => {
  it("is down once nothing comes back, and up with the next answer", () => {
    connection.failed();
    expect(connection.isUp()).toBe(false);
    connection.answered();
    expect(connection.isUp()).toBe(true);
  });

  it("is asked about while it is down", async () => {
    vi.useFakeTimers();
    const asked = vi.fn(async () => json({}));
    vi.stubGlobal("fetch", asked);
    connection.failed();

    await vi.advanceTimersByTimeAsync(10_000);

    expect(asked).toHaveBeenCalledOnce();
    expect(connection.isUp()).toBe(true);
    vi.useRealTimers();
  });
});
