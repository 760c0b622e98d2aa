// What the schema's types promise to whoever writes a client: a purchase, an upload and what can go
// wrong, without a cast. `tsc` checks the types, and the answers are the schema's own examples.

import createClient from "openapi-fetch";
import { expect, test } from "vitest";
import { asForm } from "../src/api/client";
import type { components, paths } from "../src/api/schema";
import schema from "../src/api/schema.json";

type Codes = components["schemas"]["CashoutErrorCode"];
type Errors = components["schemas"]["FieldErrors"];

const orderExample =
  schema.paths["/cashout/"].post.responses["201"].content["application/json"].examples.Example
    .value;
const changedExample =
  schema.paths["/cashout/"].post.responses["409"].content["application/json"].examples.PriceChanged
    .value;

/** A client whose requests are answered by these, in turn; and the requests it sent. */
function answered(...answers: [status: number, body: unknown, headers?: Record<string, string>][]) {
  const sent: Request[] = [];
  const client = createClient<paths>({
    baseUrl: "http://shop.test",
    fetch: async (request) => {
      sent.push(request);
      const [status, body, headers] = answers.shift() ?? [500, {}];
      return Response.json(body, { status, ...(headers ? { headers } : {}) });
    },
  });
  return { client, sent };
}

const order = {
  order: [{ product: 41, number: 2, price: 1850 }],
  mpesa_number: "0712345678",
};

test("a purchase is typed from the cart to the payment", async () => {
  const { client, sent } = answered([200, []], [201, orderExample], [200, orderExample]);

  const cart = await client.POST("/cart/", { body: [41, 7] });
  const total: number = (cart.data ?? []).reduce((sum, product) => sum + product.price, 0);
  const placed = await client.POST("/cashout/", {
    body: { ...order, amount: total },
    params: { header: { "Idempotency-Key": "k1" } },
  });
  const token: string = placed.data?.order_token ?? "";
  const seconds: number | null = placed.data?.expires_in ?? null;
  const polled = await client.GET("/cashout/{order_token}/", {
    params: { path: { order_token: token } },
  });

  expect([await sent[0]?.json(), sent[1]?.headers.get("Idempotency-Key"), seconds]).toEqual([
    [41, 7],
    "k1",
    899,
  ]);
  expect(sent[2]?.url).toBe(`http://shop.test/cashout/${token}/`);
  expect(polled.data?.prompt.live).toBe(true);
});

test("a picture is sent as a file, and without one the same listing is JSON", async () => {
  const listing = {
    name: "Kettle",
    category: "kitchen",
    price: 1850,
    item_number: 12,
    payment_mpesa_number: "0722000001",
  } as const;
  const { client, sent } = answered([201, { id: 41 }], [201, { id: 42 }]);

  const picture = new File(["…"], "kettle.jpg", { type: "image/jpeg" });
  const shown = await client.POST("/create/", {
    body: { ...listing, image: picture },
    bodySerializer: asForm,
  });
  await client.POST("/create/", { body: { ...listing, image: null } });
  // @ts-expect-error the address of a picture is no file
  const wrong: components["schemas"]["CreateProductInputForm"]["image"] = "http://shop.test/1.jpg";

  const form = await sent[0]?.formData();
  expect(form?.get("image")).toBeInstanceOf(File);
  expect(form?.get("price")).toBe("1850");
  expect(sent[1]?.headers.get("Content-Type")).toBe("application/json");
  expect([shown.data?.id satisfies number | undefined, typeof wrong]).toEqual([41, "string"]);
});

/** What to do about a refused cash-out; every code is the operation's, and a misspelt one no code. */
function next(code: Codes | undefined): string {
  switch (code) {
    case "price_changed":
      return "show";
    case "busy":
    case "throttled":
    case "idempotency_key_in_use":
      return "wait";
    case "too_many_unpaid_orders":
    case "held_by_your_order":
      return "pay first";
    // @ts-expect-error there is no such code
    case "price_chnaged":
      return "never";
    default:
      return "tell";
  }
}

/** The first sentence about anything, wherever it is nested. */
function sentence(errors: Errors): string | null {
  for (const each of Object.values(errors)) {
    if (typeof each === "string") return each;
    for (const part of Array.isArray(each) ? each : [each]) {
      const said = typeof part === "string" ? part : sentence(part);
      if (said) return said;
    }
  }
  return null;
}

test("what is wrong with a line is found in it, with its code beside it", async () => {
  const { client } = answered([
    400,
    {
      order: [{}, { number: ["Only 3 left."] }],
      codes: { order: [{}, { number: ["shortage"] }] },
    },
  ]);

  const { error } = await client.POST("/cashout/", { body: order });

  if (!error || !("codes" in error) || !error.codes) throw new Error("there are no codes");
  const { order: lines = [], codes } = error;
  expect([sentence({ lines }), sentence(codes)]).toEqual(["Only 3 left.", "shortage"]);
});

test("a refusal has the operation's code, and what it names beside it", async () => {
  const { client } = answered([409, changedExample], [429, { detail: "…", code: "throttled" }]);

  const changed = await client.POST("/cashout/", { body: order });
  const busy = await client.POST("/cashout/", { body: order });

  expect(next(changed.error?.code)).toBe("show");
  expect(changed.error && "amount" in changed.error && changed.error.amount).toBe(3200);
  expect(next(busy.error?.code)).toBe("wait");
});

test("ids are numbers, and one address has a product or the goods of a category", async () => {
  const { client, sent } = answered([200, []], [200, {}]);

  const kitchen = await client.GET("/product/{product_id}/", {
    params: { path: { product_id: "kitchen" }, query: { fields: "id,name,price" } },
  });
  // @ts-expect-error an id is no text
  await client.GET("/track/order/{track_id}/", { params: { path: { track_id: "512" } } });

  const names = Array.isArray(kitchen.data) ? kitchen.data.map((product) => product.name) : null;
  expect([names, sent[0]?.url]).toEqual([
    [],
    "http://shop.test/product/kitchen/?fields=id%2Cname%2Cprice",
  ]);
});
