import { readStored, store } from "../api/storage";

/** Whether it reads as a Kenyan mobile number: 07…, 01…, 2547…, +254 1…. The shop reads it for
 *  good; this spares a round trip on a bad line. */
export function isMpesaNumber(typed: string): boolean {
  const digits = typed.replace(/[\s().-]/g, "").replace(/^\+/, "");
  return /^(?:254|0)?[17]\d{8}$/.test(digits);
}

/** The number that paid last in this browser. */
export function rememberedNumber(): string {
  return readStored<string>("mpesa_number") ?? "";
}

/** It was ordered with: the next order suggests it. */
export function rememberNumber(number: string): void {
  store("mpesa_number", number);
  keepTyped("");
}

/** What was typed in this tab for an order that is not placed yet. */
export function typedNumber(): string {
  return readStored<string>("mpesa_number", "tab") ?? "";
}

/** Keep it through a reload, a sign-in and the way back to the cart. */
export function keepTyped(number: string): void {
  store("mpesa_number", number || null, "tab");
}
