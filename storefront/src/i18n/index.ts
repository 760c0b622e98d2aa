/** Loading and changing the language. Its texts are in en/ and sw/: a file for the pages that are
 *  seen first, one for paying, orders and accounts, one for selling and one for delivering
 *  (`npm run translations`). */

import { i18n, type Messages } from "@lingui/core";
import { type Language, language, remember } from "./language";

/** `shop`: what everybody sees first; `buying`: paying, orders, accounts; `selling`: the seller's
 *  own pages; `delivering`: of who brings parcels (lingui.config.ts). */
export type Part = "shop" | "buying" | "selling" | "delivering";

type Loader = () => Promise<{ messages: Messages }>;

const LOADERS: Record<Language, Record<Part, Loader>> = {
  en: {
    shop: () => import("./en/shop.po"),
    buying: () => import("./en/buying.po"),
    selling: () => import("./en/selling.po"),
    delivering: () => import("./en/delivering.po"),
  },
  sw: {
    shop: () => import("./sw/shop.po"),
    buying: () => import("./sw/buying.po"),
    selling: () => import("./sw/selling.po"),
    delivering: () => import("./sw/delivering.po"),
  },
};

const inUse = new Set<Part>(["shop"]);

/** Make a part's texts known in the language in use. */
export async function loadPart(part: Part): Promise<void> {
  inUse.add(part);
  const { messages } = await LOADERS[language()][part]();
  i18n.load(language(), messages);
}

/** Make a language the one in use, with all parts that are. */
export async function loadTexts(wanted: Language = language()): Promise<void> {
  for (const file of await Promise.all([...inUse].map((part) => LOADERS[wanted][part]()))) {
    i18n.load(wanted, file.messages);
  }
  i18n.activate(wanted);
  document.documentElement.lang = wanted;
}

export async function changeLanguage(choice: Language): Promise<void> {
  await loadTexts(choice);
  remember(choice);
}
