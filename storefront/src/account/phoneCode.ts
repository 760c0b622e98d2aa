/** The sign-in code requested by SMS. Stored in the tab: while the user reads the SMS, the browser
 *  may discard and reload the page. */

import { serverNow } from "../api/client";
import type { components } from "../api/schema";
import { readStored, store } from "../api/storage";

export type Sent = {
  phone: string;
  /** Sent back together with the code. */
  token: string;
  /** When it expires, and when another may be requested; milliseconds by the server's clock. */
  until: number;
  again: number;
  /** How many wrong codes were sent. */
  tries: number;
};

/** Attempts per code (accounts/phone_codes.py). */
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

/** The stored request, or null if it has expired or is for another phone than `phone`. */
export function readSent(phone?: string): Sent | null {
  const sent = readStored<Sent>(KEY, "tab");
  if (!sent || sent.until < serverNow() || (phone && sent.phone !== phone)) return null;
  return sent;
}

export function keepSent(sent: Sent | null): void {
  store(KEY, sent, "tab");
}

/** The six digits of a typed code, without spaces and dashes; null if it is anything else. */
export function readCode(typed: string): string | null {
  const digits = typed.replace(/[\s-]/g, "");
  return /^\d{6}$/.test(digits) ? digits : null;
}

type WithOtp = CredentialRequestOptions & { otp: { transport: ["sms"] } };

/** Read the code from the incoming SMS (WebOTP), in browsers that can. Returns a function that stops
 *  waiting. */
export function awaitCode(found: (code: string) => void): () => void {
  if (!("OTPCredential" in globalThis)) return () => undefined;
  const giveUp = new AbortController();
  const asked: WithOtp = { otp: { transport: ["sms"] }, signal: giveUp.signal };
  navigator.credentials.get(asked).then(
    (credential) => {
      const code = (credential as unknown as { code?: string } | null)?.code;
      if (code) found(code);
    },
    // Not supported or not allowed: the user types it.
    () => undefined,
  );
  return () => giveUp.abort();
}
