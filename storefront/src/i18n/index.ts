/** Loads and changes the language. The texts are in en/ and sw/, in one file per part of the shop
 *  (`npm run translations` extracts them). */

import { i18n, type Messages } from "@lingui/core";
import { type Language, language, remember } from "./language";

/** `shop`: the pages most visitors see first; `buying`: paying, orders, accounts; `selling`: sellers'
 *  pages; `delivering`: delivery agents' pages (lingui.config.ts). */
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

/** Load a part's texts in the current language. */
export async function loadPart(part: Part): Promise<void> {
  inUse.add(part);
  const { messages } = await LOADERS[language()][part]();
  i18n.load(language(), messages);
}

/** Show the texts of all parts loaded so far in the current language. */
export async function loadTexts(): Promise<void> {
  const wanted = language();
  await load(wanted);
  use(wanted);
}

/** Switch to a language, and remember it. Throws if its texts do not come, and changes nothing then. */
export async function changeLanguage(choice: Language): Promise<void> {
  await load(choice);
  remember(choice);
  use(choice);
}

async function load(wanted: Language): Promise<void> {
  let parts = 0;
  // A page that is opened meanwhile adds a part.
  while (parts < inUse.size) {
    parts = inUse.size;
    for (const file of await Promise.all([...inUse].map((part) => LOADERS[wanted][part]()))) {
      i18n.load(wanted, file.messages);
    }
  }
}

function use(wanted: Language): void {
  i18n.activate(wanted);
  document.documentElement.lang = wanted;
}
