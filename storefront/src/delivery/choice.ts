/** Where a buyer wants an order brought, while they choose; kept in the tab, so that what is sent
 *  again after a reload is the same. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { ApiError, firstSentence, isObject } from "../api/errors";
import { readStored, store } from "../api/storage";
import { isMpesaNumber } from "../checkout/mpesaNumber";
import type { County } from "./queries";

/** A place that is written out. */
export type Place = {
  recipient: string;
  phone: string;
  county: County | "";
  area: string;
  directions: string;
};

export type Choice = {
  /** Arranged with the seller, a pick-up point, a place written out, or the id of an address. */
  way: "none" | "point" | "new" | number;
  /** Where pick-up points are shown. */
  county: County | "";
  point: number | null;
  /** What was typed; the rest is as it was suggested. */
  place: Partial<Place>;
  /** Whether the place becomes one of their addresses. */
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

/** The choice of this buyer in this tab, and how to change it. */
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

/** It was ordered: the next order begins anew. */
export function forgetChoice(): void {
  store(STORED, null, "tab");
}

/** What a quote needs to know; null while that is not known, and where nothing is brought. */
export function askedOf(choice: Choice): Schemas["QuoteDeliveryInput"] | null {
  if (typeof choice.way === "number") return { address: choice.way };
  if (choice.way === "point" && choice.point !== null) return { pickup_point: choice.point };
  const { county } = choice.place;
  return choice.way === "new" && county ? { county } : null;
}

/** What a cash-out is sent, with the fee that was shown; undefined where nothing is brought. */
export function sentOf(
  choice: Choice,
  place: Place,
  fee: number,
): Schemas["DeliveryInput"] | undefined {
  if (choice.way === "none") return undefined;
  if (typeof choice.way === "number") return { address: choice.way, fee };
  if (choice.way === "point") return { pickup_point: choice.point, fee };
  return { ...place, county: place.county || null, fee };
}

/** What is missing before it can be sent, by field. */
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

/** What a place has to say and does not, by field. */
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

/** What a refusal says about a place, by field; the rest of it stands under "". */
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
