/** The texts of parcels' statuses and actions. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Action, Parcel } from "./queries";

export const PARCEL_STATUS: Record<Parcel["status"], MessageDescriptor> = {
  to_fetch: msg`With the seller`,
  fetched: msg`Fetched`,
  shipping: msg`On the way`,
  arrived: msg`At the pick-up point`,
  delivered: msg`Handed over`,
};

/** The label of a button. */
export const ACTION: Record<Action, MessageDescriptor> = {
  claim: msg`Take this parcel`,
  release: msg`Release it`,
  attempt: msg`I could not deliver it`,
  fetched: msg`I have fetched it`,
  shipping: msg`I am on my way`,
  arrived: msg`It has arrived here`,
  delivered: msg`Hand it over`,
};

/** The message after an action has succeeded. */
export const DONE: Record<Action, MessageDescriptor> = {
  claim: msg`You can fetch it now.`,
  release: msg`Other agents can take it now.`,
  attempt: msg`The buyer has been notified. You still have the parcel.`,
  fetched: msg`Fetched. You have it now.`,
  shipping: msg`On the way. The buyer has been notified.`,
  arrived: msg`It is here. The buyer has been notified.`,
  delivered: msg`Handed over. Well done.`,
};
