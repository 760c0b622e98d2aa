/** What the browser keeps. Storage may be full, shut or nonsense: then this page's memory serves. */

type Kept = "local" | "tab";

/** What could not be stored, and nothing else: other tabs change what is. */
const memory = new Map<string, string>();

export function readStored<T>(key: string, kept: Kept = "local"): T | null {
  try {
    return JSON.parse(memory.get(key) ?? storageOf(kept).getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** Keep a value, or forget it (null). */
export function store(key: string, value: unknown, kept: Kept = "local"): void {
  const text = JSON.stringify(value);
  memory.delete(key);
  try {
    if (value === null) storageOf(kept).removeItem(key);
    else storageOf(kept).setItem(key, text);
  } catch {
    // Full, or shut by the person's settings: it lasts as long as the page.
    if (value !== null) memory.set(key, text);
  }
}

function storageOf(kept: Kept): Storage {
  return kept === "local" ? localStorage : sessionStorage;
}
