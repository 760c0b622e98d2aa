import { afterEach, describe, expect, it, vi } from "vitest";
import { publicApi, serverNow } from "../src/api/client";
import { makeApi } from "../src/api/requests";
import { json } from "./page";

/** An API that answers with this, and what it was asked. */
function api(answer: Response) {
  const sent: [request: Request, path: string][] = [];
  const client = makeApi(async (request, path) => {
    sent.push([request, path]);
    return answer.clone();
  });
  return { client, sent };
}

describe("a request", () => {
  it("has its place, its query and its headers where the schema says", async () => {
    const { client, sent } = api(Response.json({}));

    await client.GET("/product/search/", {
      params: { query: { search: "a&b", page_size: 5, seller: undefined } as object },
    });
    await client.PATCH("/account/addresses/{address_id}/", {
      params: { path: { address_id: "a/b" } as never },
      body: { town: "Nyeri" } as never,
    });
    await client.POST("/cashout/", {
      params: { header: { "Idempotency-Key": "k1" } },
      body: {} as never,
    });

    const [search, address, cashout] = sent.map(([request]) => request);
    expect(new URL(search?.url ?? "").search).toBe("?search=a%26b&page_size=5");
    expect(new URL(address?.url ?? "").pathname).toBe("/account/addresses/a%2Fb/");
    expect(sent[1]?.[1]).toBe("/account/addresses/{address_id}/");
    expect([address?.method, await address?.json()]).toEqual(["PATCH", { town: "Nyeri" }]);
    expect(address?.headers.get("Content-Type")).toBe("application/json");
    expect(cashout?.headers.get("Idempotency-Key")).toBe("k1");
  });

  it("without a body has no type; a form names its own", async () => {
    const { client, sent } = api(Response.json({}));
    const form = new FormData();
    form.set("name", "Pot");

    await client.POST("/notices/read/", {} as never);
    await client.POST("/create/", { body: form as never, bodySerializer: (it) => it as never });

    expect(sent[0]?.[0].headers.get("Content-Type")).toBeNull();
    expect(sent[1]?.[0].headers.get("Content-Type")).toMatch(/^multipart\/form-data; boundary=/);
  });
});

describe("an answer", () => {
  it("without content is undefined, and a file a blob", async () => {
    const none = await api(new Response(null, { status: 204 })).client.GET("/me/");
    const file = await api(new Response("a,b")).client.GET("/account/export/", { parseAs: "blob" });

    expect(none.data).toBeUndefined();
    expect(await (file.data as unknown as Blob).text()).toBe("a,b");
  });

  it.each([
    ["in JSON", '{"code":"price_changed"}', { code: "price_changed" }],
    ["of a gateway", "<html>Bad gateway</html>", "<html>Bad gateway</html>"],
  ])("that refuses, %s, is its error", async (_, text, error) => {
    const answer = await api(new Response(text, { status: 409 })).client.GET("/me/");

    expect([answer.error, answer.response.status]).toEqual([error, 409]);
  });

  it("that is no JSON, as a hotel's sign-in page, is none of the shop's", async () => {
    const page = new Response("<html>Sign in to the network</html>");

    await expect(api(page).client.GET("/me/")).rejects.toThrow();
  });
});

describe("the server's clock", () => {
  const HOUR = 3_600_000;

  /** The server's clock minus this device's, in seconds, after a response with these headers. */
  async function aheadAfter(by: number, caching = "no-store"): Promise<number> {
    const date = new Date(Date.now() + by).toUTCString();
    vi.stubGlobal("fetch", async () => json([], 200, { Date: date, "Cache-Control": caching }));
    await publicApi.GET("/categories/");
    return Math.round((serverNow() - Date.now()) / 1000);
  }

  afterEach(async () => {
    await aheadAfter(0);
    vi.unstubAllGlobals();
  });

  it("is read from a response", async () => {
    expect(await aheadAfter(HOUR)).toBeCloseTo(3600, -1);
  });

  it("is not read from a response that a cache may have stored hours ago", async () => {
    expect(await aheadAfter(-20 * HOUR, "public, max-age=86400")).toBe(0);
  });

  it("is the device's own again once that was set right", async () => {
    await aheadAfter(HOUR);

    expect(await aheadAfter(0)).toBe(0);
  });
});
