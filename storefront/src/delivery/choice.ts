/** The delivery a buyer has chosen at checkout. Stored in the tab, so that an order sent again after a
 *  reload is the same. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { ApiError, firstSentence, isObject } from "../api/errors";
import { readStored, store } from "../api/storage";
import { isMpesaNumber } from "../checkout/mpesaNumber";
import type { County } from "./queries";

/** An address as typed in the form. */
export type Place = {
  recipient: string;
  phone: string;
  county: County | "";
  area: string;
  directions: string;
};

export type Choice = {
  /** Arranged with the seller, a pick-up point, a new address, or the id of a saved address. */
  way: "none" | "point" | "new" | number;
  /** The county whose pick-up points are shown. */
  county: County | "";
  point: number | null;
  /** The fields the buyer has typed; the others are as suggested. */
  place: Partial<Place>;
  /** Whether the new address is saved in the account. */
  isKept: boolean;
};

export type Wrong = { readonly [field: string]: string };

export const NOTHING_CHOSEN: Choice = {
  way: "none",
  county: "",
  point: null,
  place: {},
  isKept: true,
};

const STORED = "delivery";

/** This buyer's choice in this tab, and a function that changes it. */
export function useChoice(buyer: number): [Choice, (next: Choice) => void] {
  const [choice, setChoice] = useState<Choice>(() => {
    const kept = readStored<{ buyer: number; choice: Choice }>(STORED, "tab");
    return kept?.buyer === buyer ? { ...NOTHING_CHOSEN, ...kept.choice } : NOTHING_CHOSEN;
  });
  const change = (next: Choice) => {
    store(STORED, { buyer, choice: next }, "tab");
    setChoice(next);
  };
  return [choice, change];
}

/** Delete the choice once the order is placed. */
export function forgetChoice(): void {
  store(STORED, null, "tab");
}

/** The delivery in a quote's input; null for none, or while the choice is incomplete. */
export function quoteDelivery(choice: Choice): Schemas["QuoteDeliveryInput"] | null {
  if (typeof choice.way === "number") return { address: choice.way };
  if (choice.way === "point" && choice.point !== null) return { pickup_point: choice.point };
  const { county } = choice.place;
  return choice.way === "new" && county ? { county } : null;
}

/** The delivery in a cash-out's input, with the fee that was shown in KES; undefined for none. */
export function cashoutDelivery(
  choice: Choice,
  place: Place,
  fee: number,
): Schemas["DeliveryInput"] | undefined {
  if (choice.way === "none") return undefined;
  if (typeof choice.way === "number") return { address: choice.way, fee };
  if (choice.way === "point") return { pickup_point: choice.point, fee };
  return { ...place, county: place.county || null, fee };
}

/** Messages about what is missing from a choice, by field. */
export function missingOf(
  choice: Choice,
  place: Place,
): Partial<Record<string, MessageDescriptor>> {
  if (choice.way === "point" && choice.point === null) {
    return choice.county
      ? { pickup_point: msg`Choose a pick-up point.` }
      : { point_county: msg`Choose a county.` };
  }
  return choice.way === "new" ? missingOfPlace(place) : {};
}

/** Messages about what is missing from an address, by field. */
export function missingOfPlace(place: Place): Partial<Record<string, MessageDescriptor>> {
  return {
    ...(place.recipient.trim() ? {} : { recipient: msg`Enter the recipient's name.` }),
    ...(isMpesaNumber(place.phone.trim())
      ? {}
      : { phone: msg`Enter a Kenyan mobile number, like 0712 345 678.` }),
    ...(place.county ? {} : { county: msg`Choose a county.` }),
    ...(place.area.trim() ? {} : { area: msg`Enter the town, estate or street.` }),
  };
}

/** The API's errors about an address or a delivery, by field; those of no field under "". */
export function wrongOf(error: unknown): Wrong {
  if (!(error instanceof ApiError) || error.status !== 400) return {};
  return sentences("delivery" in error.body ? error.body.delivery : error.body);
}

function sentences(said: unknown): Wrong {
  if (!isObject(said)) {
    const general = firstSentence(said);
    return general ? { "": general } : {};
  }
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(said)) {
    const sentence = firstSentence(value);
    if (sentence) found[name === "non_field_errors" ? "" : name] = sentence;
  }
  return found;
}
