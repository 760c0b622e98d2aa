/** The texts of parcels' statuses and actions. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Action, Parcel } from "./queries";

export const PARCEL_STATUS: Record<Parcel["status"], MessageDescriptor> = {
  to_fetch: msg`With the seller`,
  fetched: msg`Collected`,
  shipping: msg`On the way`,
  arrived: msg`At the pick-up point`,
  delivered: msg`Handed over`,
};

/** The label of a button. */
export const ACTION: Record<Action, MessageDescriptor> = {
  claim: msg`Take this parcel`,
  release: msg`Release it`,
  attempt: msg`Could not deliver`,
  fetched: msg`I have collected it`,
  shipping: msg`Start delivery`,
  arrived: msg`It has arrived`,
  delivered: msg`Hand over`,
};

/** The message after an action has succeeded. */
export const DONE: Record<Action, MessageDescriptor> = {
  claim: msg`It is yours. Collect it from the seller.`,
  release: msg`Released. Other agents can take it now.`,
  attempt: msg`We have notified the buyer. You still have the parcel.`,
  fetched: msg`Collected. You have it now.`,
  shipping: msg`On the way. We have notified the buyer.`,
  arrived: msg`It is here. We have notified the buyer.`,
  delivered: msg`Handed over. Well done.`,
};
