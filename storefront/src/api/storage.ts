/** Reads and writes localStorage ("local") and sessionStorage ("tab") as JSON. If storage is full or
 *  disabled, values are kept in this page's memory instead; unreadable ones count as missing. */

type Kept = "local" | "tab";

/** Only values that could not be stored: stored ones may be changed by other tabs. */
const memory = new Map<string, string>();

export function readStored<T>(key: string, kept: Kept = "local"): T | null {
  try {
    return JSON.parse(memory.get(key) ?? storageOf(kept).getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** Store a value; null deletes it. */
export function store(key: string, value: unknown, kept: Kept = "local"): void {
  const text = JSON.stringify(value);
  memory.delete(key);
  try {
    if (value === null) storageOf(kept).removeItem(key);
    else storageOf(kept).setItem(key, text);
  } catch {
    // Full, or disabled in the settings: it lasts as long as the page.
    if (value !== null) memory.set(key, text);
  }
}

function storageOf(kept: Kept): Storage {
  return kept === "local" ? localStorage : sessionStorage;
}
