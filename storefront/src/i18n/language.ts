/** The language of the pages: the user's choice, otherwise the browser's. */

export type Language = "en" | "sw";

/** The cookie is also read by products/shop, which renders pages on the server. */
const COOKIE = /(?:^|;\s*)language=(en|sw)(?:;|$)/;

let now: Language | null = null;

export function language(): Language {
  now ??= chosen() ?? ofTheBrowser();
  return now;
}

function chosen(): Language | null {
  return (COOKIE.exec(document.cookie)?.[1] as Language | undefined) ?? null;
}

function ofTheBrowser(): Language {
  for (const each of navigator.languages ?? []) {
    if (each.startsWith("sw")) return "sw";
    if (each.startsWith("en")) return "en";
  }
  return "en";
}

/** Store the user's choice in this browser, for a year. */
export function remember(choice: Language): void {
  now = choice;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in old WebViews.
  document.cookie = `language=${choice}; path=/shop; max-age=31536000; SameSite=Lax${secure}`;
}
