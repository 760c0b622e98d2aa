import { readStored, store } from "../api/storage";

/** Whether this looks like a Kenyan mobile number: 07…, 01…, 2547…, +254 1…. The shop decides; this
 *  spares a request on a slow connection. */
export function isMpesaNumber(typed: string): boolean {
  const digits = typed.replace(/[\s().-]/g, "").replace(/^\+/, "");
  return /^(?:254|0)?[17]\d{8}$/.test(digits);
}

/** The number last used for an order in this browser. */
export function rememberedNumber(): string {
  return readStored<string>("mpesa_number") ?? "";
}

/** Store the number of a placed order, as the suggestion for the next. */
export function rememberNumber(number: string): void {
  store("mpesa_number", number);
  keepTyped("");
}

/** The number typed in this tab for an order that is not placed yet. */
export function typedNumber(): string {
  return readStored<string>("mpesa_number", "tab") ?? "";
}

/** Store it in the tab, so that it survives a reload, signing in, and going back to the cart. */
export function keepTyped(number: string): void {
  store("mpesa_number", number || null, "tab");
}
