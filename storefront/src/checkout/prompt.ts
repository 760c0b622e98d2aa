/** How a payment stands, in the page's words. The API says it in English sentences
 *  (payments/checkout/messages.py, failures.py); each known one has its words here in both
 *  languages, and one that is new is shown as it came. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Order } from "../api/client";

export type Stage =
  | "ringing" // a prompt is open, or about to be
  | "silent" // it may be; nobody knows
  | "short" // some of the money came
  | "failed"
  | "paid"
  | "cancelled"
  | "expired"
  | "refund_due"
  | "refunded";

export function stageOf(order: Order): Stage {
  if (order.payment_status !== "requested") return order.payment_status;
  const { status, message } = order.prompt;
  if (message.startsWith(SILENT)) return "silent";
  if (status === "requested" || status === "submitted" || status === "unknown") return "ringing";
  return order.amount_due < order.amount ? "short" : "failed";
}

const SILENT = "We have not heard from M-Pesa yet.";

/** What the API says, and the same in the page's language. */
const SENTENCES: Record<string, MessageDescriptor> = {
  "We are about to ring your phone.": msg`We are about to ring your phone.`,
  "Look at your phone and enter your M-Pesa PIN.": msg`Look at your phone and enter your M-Pesa PIN.`,
  "If your phone rings, enter your M-Pesa PIN. We are asking M-Pesa what became of it.": msg`If your phone rings, enter your M-Pesa PIN. We are asking M-Pesa what became of it.`,
  "M-Pesa did not take our request yet. We try again by ourselves within a minute.": msg`M-Pesa did not take our request yet. We try again by ourselves within a minute.`,
  "Your phone has another prompt open. Close it there, and ours follows within three minutes.": msg`Your phone has another prompt open. Close it there, and ours follows within three minutes.`,
  "We have not heard from M-Pesa yet. If you entered your PIN, wait: we keep asking. If you did not, try again.": msg`We have not heard from M-Pesa yet. If you entered your PIN, wait: we keep asking. If you did not, try again.`,
  "You cancelled on your phone. Try again when you are ready.": msg`You cancelled on your phone. Try again when you are ready.`,
  "Your phone did not answer. See that it is on and has signal, then try again.": msg`Your phone did not answer. See that it is on and has signal, then try again.`,
  "The M-Pesa PIN was wrong. Try again with the right one.": msg`The M-Pesa PIN was wrong. Try again with the right one.`,
  "There was not enough money in M-Pesa. Top up and try again.": msg`There was not enough money in M-Pesa. Top up and try again.`,
  "M-Pesa's limit does not allow this payment today. Try another number.": msg`M-Pesa's limit does not allow this payment today. Try another number.`,
  "M-Pesa was busy. Try again in a minute.": msg`M-Pesa was busy. Try again in a minute.`,
  "M-Pesa takes the same amount from the same phone only once in two minutes. Wait two minutes and try again.": msg`M-Pesa takes the same amount from the same phone only once in two minutes. Wait two minutes and try again.`,
  "This M-Pesa PIN is locked. Call Safaricom on 100, or try another number.": msg`This M-Pesa PIN is locked. Call Safaricom on 100, or try another number.`,
  "The prompt ran out before a PIN was entered. Try again.": msg`The prompt ran out before a PIN was entered. Try again.`,
  "M-Pesa cannot take payments for us right now. We are on it.": msg`M-Pesa cannot take payments for us right now. We are on it.`,
  "M-Pesa could not finish the payment. Try again.": msg`M-Pesa could not finish the payment. Try again.`,
  "We could not ring your phone in time. Try again.": msg`We could not ring your phone in time. Try again.`,
  "We cannot ring this phone now. Try again in a few minutes, or use another number.": msg`We cannot ring this phone now. Try again in a few minutes, or use another number.`,
  "M-Pesa has no payment from this prompt. Try again.": msg`M-Pesa has no payment from this prompt. Try again.`,
  "You asked too many different phones to pay. Use one you have paid with here before.": msg`You asked too many different phones to pay. Use one you have paid with here before.`,
  "This phone has another M-Pesa prompt open. Close it and try again in a minute.": msg`This phone has another M-Pesa prompt open. Close it and try again in a minute.`,
  "M-Pesa is very busy. Try again in a minute.": msg`M-Pesa is very busy. Try again in a minute.`,
  "M-Pesa cannot be reached right now. Try again in a minute.": msg`M-Pesa cannot be reached right now. Try again in a minute.`,
  "M-Pesa did not accept this number. Check it and try again.": msg`M-Pesa did not accept this number. Check it and try again.`,
  "The way to M-Pesa is blocked right now. Try again in a minute.": msg`The way to M-Pesa is blocked right now. Try again in a minute.`,
  "M-Pesa did not take the request. Try again in a minute.": msg`M-Pesa did not take the request. Try again in a minute.`,
  "Try again.": msg`Try again.`,
  "Paid. Thank you!": msg`Thank you! The sellers know, and get your goods ready.`,
  "You gave this order up. Nothing is owed.": msg`You gave this order up. Nothing is owed.`,
  "You gave this order up. Nothing is owed. If your phone still shows the prompt, cancel it there: what you pay for this order now is sent back to you.": msg`You gave this order up. Nothing is owed. If your phone still shows the prompt, cancel it there: what you pay for this order now is sent back to you.`,
  "The shop cancelled this order. Nothing is owed.": msg`The shop cancelled this order. Nothing is owed.`,
  "The time to pay is over and the goods are free again. Cash out anew.": msg`The time to pay is over and the goods are free again. Cash out anew.`,
  "No payment came while your phone rang, and another buyer took goods that were the last. Cash out anew to see what is left.": msg`No payment came while your phone rang, and another buyer took goods that were the last. Cash out anew to see what is left.`,
  "Your money came too late, or not all of it came. You get all of it back.": msg`Your money came too late, or not all of it came. You get all of it back.`,
  "You had given this order up, so the money that came for it is sent back to you.": msg`You had given this order up, so the money that came for it is sent back to you.`,
  "Your money was sent back.": msg`Your money was sent back.`,
};

/** Without the ways to pay by hand, which the page shows apart. */
export function withoutWays(message: string): string {
  return message.replace(/ Or pay by hand: .*$/s, "");
}

/** The page's words for a message of the API, or null for one it does not know. */
export function wordsFor(message: string): MessageDescriptor | null {
  return SENTENCES[withoutWays(message)] ?? null;
}

/** Every sentence there are words for; a test holds them beside the API's. */
export const KNOWN_SENTENCES = Object.keys(SENTENCES);
