/** A key that nobody guesses, for the Idempotency-Key of a request. */
export function newKey(): string {
  // Not everywhere: plain http on another machine than this has no crypto.randomUUID.
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
