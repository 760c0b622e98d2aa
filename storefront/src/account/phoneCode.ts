/** A code that was asked for by SMS; kept in the tab: who goes to read it may find the page loaded
 *  anew. */

import { serverNow } from "../api/client";
import type { components } from "../api/schema";
import { readStored, store } from "../api/storage";

export type Sent = {
  phone: string;
  /** What the code is typed with. */
  token: string;
  /** Until when it is good, and from when another one is sent; milliseconds by the shop's clock. */
  until: number;
  again: number;
  /** How often it was typed. */
  tries: number;
};

/** So often a code may be typed (accounts/phone_codes.py). */
export const TRIES = 5;

const KEY = "phone-code";

export function sentOf(phone: string, answer: components["schemas"]["CodeSent"]): Sent {
  const now = serverNow();
  return {
    phone,
    token: answer.token,
    until: now + answer.expires_in * 1000,
    again: now + answer.again_in * 1000,
    tries: 0,
  };
}

/** The code that was sent, to this phone where one is named, unless it is over. */
export function readSent(phone?: string): Sent | null {
  const sent = readStored<Sent>(KEY, "tab");
  if (!sent || sent.until < serverNow() || (phone && sent.phone !== phone)) return null;
  return sent;
}

export function keepSent(sent: Sent | null): void {
  store(KEY, sent, "tab");
}

/** The six digits of an SMS, however they were typed; null where it is something else. */
export function readCode(typed: string): string | null {
  const digits = typed.replace(/[\s-]/g, "");
  return /^\d{6}$/.test(digits) ? digits : null;
}

type WithOtp = CredentialRequestOptions & { otp: { transport: ["sms"] } };

/** Have the phone's browser fill in the code of the SMS that comes (WebOTP), where it can. */
export function awaitCode(found: (code: string) => void): () => void {
  if (!("OTPCredential" in globalThis)) return () => undefined;
  const giveUp = new AbortController();
  const asked: WithOtp = { otp: { transport: ["sms"] }, signal: giveUp.signal };
  navigator.credentials.get(asked).then(
    (credential) => {
      const code = (credential as unknown as { code?: string } | null)?.code;
      if (code) found(code);
    },
    // Not this browser, or not this time: people type it.
    () => undefined,
  );
  return () => giveUp.abort();
}
