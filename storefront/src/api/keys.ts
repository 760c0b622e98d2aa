/** A new random Idempotency-Key. */
export function newKey(): string {
  // crypto.randomUUID does not exist over plain http, except on localhost.
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
