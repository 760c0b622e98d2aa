/** What the browser keeps. Storage may be full, shut or nonsense: then this page's memory serves. */

const memory = new Map<string, string>();

export function readStored<T>(key: string, kept: "local" | "tab" = "local"): T | null {
  let text: string | null = null;
  try {
    text = storageOf(kept).getItem(key);
  } catch {
    // Shut by the person's settings.
  }
  try {
    return JSON.parse(text ?? memory.get(key) ?? "null");
  } catch {
    return null;
  }
}

export function store(key: string, value: unknown, kept: "local" | "tab" = "local"): void {
  const text = JSON.stringify(value);
  if (value === null) memory.delete(key);
  else memory.set(key, text);
  try {
    if (value === null) storageOf(kept).removeItem(key);
    else storageOf(kept).setItem(key, text);
  } catch {
    // Full, or shut: it lasts as long as the page.
  }
}

function storageOf(kept: "local" | "tab"): Storage {
  return kept === "local" ? localStorage : sessionStorage;
}
