import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import DeliveringPage from "../src/delivering/DeliveringPage";
import type { Parcel } from "../src/delivering/queries";
import { keepUnsent } from "../src/delivering/unsent";
import { answerWith, json, show } from "./page";

const aParcel = (changes: Partial<Parcel> = {}): Parcel => ({
  id: 88,
  order: "PR7KWQ4M",
  status: "to_fetch",
  mine: true,
  claimed_at: null,
  since: "2026-11-28T05:55:10Z",
  arrived_at: null,
  lines: [{ id: 512, name: "Kettle", number: 2, track_status: "paid" }],
  collect: {
    name: "Amina Hassan (amina)",
    phone: "254722000001",
    county: "nairobi",
    county_name: "Nairobi City",
    area: "Eastleigh",
    directions: "Garissa Lodge, shop 14",
  },
  deliver: {
    way: "home",
    recipient: "Wanjiku Kamau",
    phone: "254733000777",
    county: "kiambu",
    county_name: "Kiambu",
    area: "Ruiru",
    directions: "Blue gate",
    pickup_point: null,
  },
  actions: ["fetched", "release"],
  code_tries: 5,
  ...changes,
});

const POINT: Parcel["deliver"] = {
  way: "pickup",
  recipient: "Wanjiku Kamau",
  phone: null,
  county: "nairobi",
  county_name: "Nairobi City",
  area: "Kilimani Pick-up, Argwings Kodhek Road",
  directions: "Next to the petrol station",
  pickup_point: {
    id: 3,
    name: "Kilimani Pick-up",
    opening_hours: "Mon–Sat 8:00–19:00",
    phone: "254733000003",
  },
};
const free = aParcel({ id: 89, order: "FREE2345", mine: false, actions: ["claim", "fetched"] });
const carried = aParcel({ status: "shipping", actions: ["delivered"] });

type Lists = { mine?: Parcel[]; others?: Parcel[]; done?: Parcel[] };

/** The page, and what was sent. A list is answered by whose it asks for. */
function visit(lists: Lists, answers: Record<string, unknown> = {}, at = "/") {
  const sent: { path: string; body: unknown }[] = [];
  const answer = answerWith(answers);
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method === "POST") {
      const text = await request.clone().text();
      sent.push({ path: pathname, body: text ? JSON.parse(text) : null });
    }
    if (pathname !== "/deliveries/" || answers["GET /deliveries/"]) return answer(request);
    if (searchParams.get("open") === "false") return json(lists.done ?? []);
    return json((searchParams.get("mine") === "true" ? lists.mine : lists.others) ?? []);
  });
  keepUnsent(88, null);
  show(<DeliveringPage />, { at });
  return sent;
}

const press = async (name: string | RegExp) =>
  fireEvent.click(await screen.findByRole("button", { name }));

describe("the parcels of who brings them", () => {
  it("keep their place while they are read", () => {
    visit({}, { "GET /deliveries/": new Promise(() => undefined) });
    expect(document.querySelectorAll(".parcel.skeleton")).toHaveLength(2);
  });

  it("are counted, and those that press most are shown first", async () => {
    visit({ mine: [aParcel(), { ...carried, id: 90, order: "CARRIED2" }], others: [free] });
    expect(
      await screen.findByRole("button", { name: /^1 ?With me/, current: "page" }),
    ).toBeTruthy();
    expect(screen.getByRole("button", { name: /^1 ?To collect/ })).toBeTruthy();
    expect(screen.getByRole("button", { name: /^1 ?Available/ })).toBeTruthy();
    expect(screen.queryByRole("button", { name: /My point/ })).toBeNull();
    expect(screen.getByRole("heading", { name: "CARRIED2" })).toBeTruthy();
  });

  it("say where to fetch, with a phone to tap and a map that is told no name", async () => {
    visit({ mine: [aParcel()] });
    const call = await screen.findByRole("link", {
      name: "Call 0722\u00a0000\u00a0001 (PR7KWQ4M)",
    });
    expect(call.getAttribute("href")).toBe("tel:+254722000001");
    const [map] = screen.getAllByRole("link", { name: /^Map of Eastleigh/ });
    expect(map?.getAttribute("href")).toBe(
      "https://www.google.com/maps/search/?api=1&query=Eastleigh%2C+Nairobi+City%2C+Kenya",
    );
    expect(screen.getByText("Garissa Lodge, shop 14")).toBeTruthy();
  });

  it("say that a seller has named no place", async () => {
    const collect = { ...aParcel().collect, area: null, directions: null, county_name: null };
    visit({ mine: [aParcel({ collect })] });
    expect(
      await screen.findByText("The seller has not given an address. Call them and ask."),
    ).toBeTruthy();
    expect(screen.queryByRole("link", { name: /null/ })).toBeNull();
  });

  it("are taken on with one press", async () => {
    const sent = visit({ others: [free] }, { "POST /deliveries/89/claim/": aParcel({ id: 89 }) });
    await press("Take this parcel (FREE2345)");
    expect(await screen.findByText("It is yours. Collect it from the seller.")).toBeTruthy();
    expect(sent).toEqual([{ path: "/deliveries/89/claim/", body: null }]);
  });

  it("are not fetched by a slip of the thumb", async () => {
    const sent = visit({ mine: [aParcel()] }, { "POST /deliveries/88/move/": carried });
    await press(/^I have collected it/);
    expect(sent).toEqual([]);
    await press(/^Yes, I have everything/);
    expect(await screen.findByText("Collected. You have it now.")).toBeTruthy();
    expect(sent).toEqual([{ path: "/deliveries/88/move/", body: { to: "fetched" } }]);
  });

  it("are let go with a reason", async () => {
    const sent = visit({ mine: [aParcel()] }, { "POST /deliveries/88/release/": free });
    await press(/^I cannot collect it/);
    fireEvent.click(screen.getByLabelText("The items are not ready."));
    fireEvent.change(screen.getByLabelText("More details (optional)"), {
      target: { value: "Monday" },
    });
    await press("Release it");
    expect(await screen.findByText("Released. Other agents can take it now.")).toBeTruthy();
    expect(sent).toEqual([
      { path: "/deliveries/88/release/", body: { note: "The items are not ready. Monday" } },
    ]);
  });

  it("are brought in vain, and the buyer is told why", async () => {
    const onTheWay = aParcel({ status: "shipping", actions: ["delivered", "attempt"] });
    const sent = visit({ mine: [onTheWay] }, { "POST /deliveries/88/attempt/": onTheWay });
    await press(/^Could not deliver/);
    fireEvent.click(screen.getByLabelText("Nobody was there or answered the phone."));
    await press("Notify the buyer");
    expect(
      await screen.findByText("We have notified the buyer. You still have the parcel."),
    ).toBeTruthy();
    expect(sent).toEqual([{ path: "/deliveries/88/attempt/", body: { reason: "nobody_there" } }]);
  });

  it("say that another was faster", async () => {
    const said = "Another agent is delivering this parcel.";
    visit(
      { others: [free] },
      { "POST /deliveries/89/claim/": json({ detail: said, code: "parcel_claimed" }, 409) },
    );
    await press(/^Take this parcel/);
    expect((await screen.findByRole("alert")).textContent).toBe(said);
  });

  it.each([
    ["/?part=bring", "Nothing to hand over"],
    ["/?part=fetch", "Nothing to collect"],
    ["/?part=take", "No parcels available"],
    ["/?part=point", "Nothing at your pick-up point"],
    ["/?part=done", "No recent deliveries"],
  ])("say at %s that there are none", async (at, said) => {
    visit({}, {}, at);
    expect(await screen.findByText(said)).toBeTruthy();
  });

  it("are for nobody else", async () => {
    visit({}, { "GET /deliveries/": json({ detail: "No.", code: "not_an_agent" }, 403) });
    expect(await screen.findByText("This page is for delivery agents")).toBeTruthy();
  });

  it("show a failure with a way on", async () => {
    visit({}, { "GET /deliveries/": json({ detail: "no" }, 503) });
    expect(await screen.findByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it("have nothing to press once they were handed over", async () => {
    visit({ done: [aParcel({ status: "delivered", actions: [] })] }, {}, "/?part=done");
    await screen.findByRole("heading", { name: "PR7KWQ4M" });
    expect(document.querySelector(".buttons")).toBeNull();
  });
});

describe("handing over by the buyer's code", () => {
  async function type(digits: string, answer: unknown) {
    const sent = visit({ mine: [carried] }, { "POST /deliveries/88/move/": answer });
    await press(/^Hand over \(/);
    for (const digit of digits) await press(digit);
    return sent;
  }

  it("takes six digits, and no seventh", async () => {
    await type("4829137", carried);
    const field = screen.getByLabelText<HTMLInputElement>(/^The 6-digit code Wanjiku Kamau/);
    expect(field.value).toBe("482 913");
  });

  it("cannot be sent before the sixth", async () => {
    await type("48291", carried);
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Hand over" }).disabled).toBe(
      true,
    );
  });

  it("sends them once, and says that it is done", async () => {
    const sent = await type("482913", aParcel({ status: "delivered", actions: [] }));
    await press("Hand over");
    expect(await screen.findByText("Handed over. Well done.")).toBeTruthy();
    expect(sent).toEqual([
      { path: "/deliveries/88/move/", body: { to: "delivered", code: "482913" } },
    ]);
  });

  it.each([
    "This is not the buyer's code. Check it and try again.",
    "Too many wrong codes were entered. The buyer or the shop must confirm delivery instead.",
  ])("says plainly: %s", async (said) => {
    await type("111111", json({ code: [said] }, 400));
    await press("Hand over");
    expect(await screen.findByText(said)).toBeTruthy();
    expect(screen.getByLabelText<HTMLInputElement>(/^The 6-digit code/).value).toBe("");
  });
});

describe("how many codes can still be tried", () => {
  it.each([
    [5, null],
    [2, "A wrong code was entered before. 2 tries are left."],
    [1, "A wrong code was entered before. 1 try is left."],
  ])("is said before the next one: %i", async (code_tries, said) => {
    visit({ mine: [aParcel({ status: "shipping", actions: ["delivered"], code_tries })] });
    await press(/^Hand over/);
    await screen.findByLabelText(/^The 6-digit code/);
    expect(screen.queryByText(/^A wrong code was/)?.textContent ?? null).toBe(said);
  });

  it("is said with the way on once it is none", async () => {
    visit({ mine: [aParcel({ status: "shipping", actions: ["attempt"], code_tries: 0 })] });
    expect(await screen.findByText(/^Too many wrong codes were entered for this/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /^Hand over/ })).toBeNull();
    expect(screen.getByRole("button", { name: /^Could not deliver/ })).toBeTruthy();
  });
});

describe("a press that no answer came to", () => {
  it("is kept, and sent again as it was", async () => {
    const answers: Record<string, unknown> = {
      "POST /deliveries/88/move/": new TypeError("no network"),
    };
    const sent = visit(
      { mine: [aParcel({ status: "fetched", actions: ["shipping", "delivered"] })] },
      answers,
    );
    await press(/^Start delivery/);
    expect(await screen.findByText("Not sent: no connection.")).toBeTruthy();
    answers["POST /deliveries/88/move/"] = carried;
    await press("Send again");
    expect(await screen.findByText("On the way. We have notified the buyer.")).toBeTruthy();
    expect(sent.map(({ body }) => body)).toEqual([{ to: "shipping" }, { to: "shipping" }]);
    expect(screen.queryByText("Not sent: no connection.")).toBeNull();
  });

  it("is offered again after a reload, while it can still be done", async () => {
    visit({ mine: [aParcel()] });
    keepUnsent(88, { action: "fetched" });
    expect(await screen.findByText("Not sent: no connection.")).toBeTruthy();
  });

  it("is not offered where it had arrived after all", async () => {
    visit({ mine: [carried] });
    keepUnsent(88, { action: "fetched" });
    await screen.findByRole("heading", { name: "PR7KWQ4M" });
    expect(screen.queryByText("Not sent: no connection.")).toBeNull();
  });
});

describe("the pick-up point", () => {
  const coming = aParcel({
    id: 91,
    mine: false,
    status: "shipping",
    deliver: { ...POINT, phone: "254733000777" },
    collect: { ...aParcel().collect, phone: null, area: null, directions: null, county_name: null },
    actions: ["arrived", "delivered"],
  });

  it("takes a parcel in, and shows nothing of bringing", async () => {
    const sent = visit(
      { others: [coming] },
      { "POST /deliveries/91/move/": { ...coming, status: "arrived" } },
    );
    await press(/^It has arrived/);
    expect(await screen.findByText("It is here. We have notified the buyer.")).toBeTruthy();
    expect(sent).toEqual([{ path: "/deliveries/91/move/", body: { to: "arrived" } }]);
    expect(screen.getAllByRole("button", { name: /^(1 ?My point|Done)$/ })).toHaveLength(2);
    expect(screen.queryByRole("button", { name: /Available|To collect/ })).toBeNull();
  });

  it("is where an agent brings it, with its hours and phone", async () => {
    visit({
      mine: [aParcel({ status: "fetched", deliver: POINT, actions: ["shipping", "delivered"] })],
    });
    expect(await screen.findByText("Kilimani Pick-up")).toBeTruthy();
    expect(screen.getByText(/Argwings Kodhek Road, Nairobi City/)).toBeTruthy();
    expect(screen.getByRole("link", { name: /^Call 0733\u00a0000\u00a0003/ })).toBeTruthy();
    await waitFor(() => expect(screen.getByText(/Mon–Sat/)).toBeTruthy());
  });
});
