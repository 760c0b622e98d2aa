/** What the pages of who brings parcels call things. */

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

/** What a button says. */
export const ACTION: Record<Action, MessageDescriptor> = {
  claim: msg`I take it on`,
  release: msg`Let it go`,
  attempt: msg`Nobody takes it in`,
  fetched: msg`I have fetched it`,
  shipping: msg`I am on my way`,
  arrived: msg`It has arrived here`,
  delivered: msg`Hand it over`,
};

/** What is said once it is so. */
export const DONE: Record<Action, MessageDescriptor> = {
  claim: msg`It is yours to fetch.`,
  release: msg`Others may take it on now.`,
  attempt: msg`The buyer has been told. It is with you still.`,
  fetched: msg`Fetched. It is with you now.`,
  shipping: msg`On the way. The buyer has been told.`,
  arrived: msg`It is here. The buyer has been told.`,
  delivered: msg`Handed over. Well done.`,
};
