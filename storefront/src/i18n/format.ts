/** Formats money, times and phone numbers as people in Kenya write them. */

import { i18n } from "@lingui/core";

const KES = new Intl.NumberFormat("en-KE", { maximumFractionDigits: 0 });

/** "KES 1,850", with a no-break space. */
export function money(kes: number): string {
  return `KES\u00a0${KES.format(kes)}`;
}

function locale(): string {
  return i18n.locale === "sw" ? "sw-KE" : "en-KE";
}

function formatted(moment: string | number, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale(), { timeZone: "Africa/Nairobi", ...options }).format(
    new Date(moment),
  );
}

/** "24 Nov 2026". */
export function day(moment: string | number): string {
  return formatted(moment, { day: "numeric", month: "short", year: "numeric" });
}

/** "14:32", East Africa Time. */
export function clock(moment: string | number): string {
  return formatted(moment, { hour: "2-digit", minute: "2-digit", hour12: false });
}

/** "24 Nov, 14:32". */
export function dayAndClock(moment: string | number): string {
  return `${formatted(moment, { day: "numeric", month: "short" })}, ${clock(moment)}`;
}

/** Seconds as minutes: "4:07". Never negative. */
export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "0712 345 678" for 254712345678, as it is typed into a field or copied. */
export function typedPhone(number: string): string {
  const local = number.replace(/^254/, "0");
  return /^0\d{9}$/.test(local)
    ? `${local.slice(0, 4)} ${local.slice(4, 7)} ${local.slice(7)}`
    : number;
}

/** The same in a sentence; the spaces never break. */
export function phone(number: string): string {
  return typedPhone(number).replaceAll(" ", "\u00a0");
}
