/** Labels of problems and decisions, for buyers and sellers (docs/problems.md). */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Message, ProblemKind, Reader } from "./queries";

export const PROBLEM_KIND: Record<ProblemKind, MessageDescriptor> = {
  not_received: msg`Not received`,
  damaged: msg`Damaged`,
  wrong_goods: msg`Wrong item`,
  not_as_described: msg`Not as described`,
};

/** Decisions: final outcomes, and a requested return. */
export const DECIDED: Record<NonNullable<Message["decided"]>, MessageDescriptor> = {
  refunded: msg`Full refund`,
  reduced: msg`Part of the price is refunded`,
  returned: msg`Returned, full refund`,
  dismissed: msg`Closed without a refund`,
  withdrawn: msg`The buyer closed the problem`,
  cancelled: msg`The item was cancelled`,
  returning: msg`Return requested`,
};

const SAYS: Record<Message["by"], MessageDescriptor> = {
  buyer: msg`The buyer`,
  seller: msg`The seller`,
  shop: msg`The shop`,
};

/** The author of a message as its reader sees them: "You", or the other party. */
export function says(by: Message["by"], reader: Reader): MessageDescriptor {
  return by === reader ? msg`You` : SAYS[by];
}
