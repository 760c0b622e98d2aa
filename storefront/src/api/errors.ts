/** The errors of requests, in one shape for all pages. */

/** `{field: ["…"]}`, nested as the input is: an order's lines are a list of these. */
export type FieldErrors = { readonly [field: string]: unknown };

/** The API responded with an error. */
export class ApiError extends Error {
  readonly status: number;
  /** The API's stable error code; "" if the response has errors by field instead. */
  readonly code: string;
  /** The whole body: some codes come with more members. */
  readonly body: FieldErrors;
  /** Seconds until another try, from the `Retry-After` header. */
  readonly retryAfter: number | null;
  /** Identifies the request in the shop's logs, for its staff. */
  readonly requestId: string;

  constructor(response: Response, body: unknown) {
    const said = isObject(body) ? body : {};
    super(typeof said.detail === "string" ? said.detail : `HTTP ${response.status}`);
    this.status = response.status;
    this.code = typeof said.code === "string" ? said.code : "";
    this.body = said;
    const wait = Number(response.headers.get("Retry-After") ?? Number.NaN);
    this.retryAfter = Number.isFinite(wait) ? wait : null;
    this.requestId = response.headers.get("X-Request-ID") ?? "";
  }

  /** The first error of a field, or null. */
  field(name: string): string | null {
    return firstSentence(this.body[name]);
  }

  /** The error that belongs to no field, or null. */
  get general(): string | null {
    return firstSentence(this.body.non_field_errors) ?? firstSentence(this.body.detail);
  }
}

/** The API's first error of a field, or null: also if the request failed for another reason. */
export function fieldError(error: unknown, name: string): string | null {
  return error instanceof ApiError ? error.field(name) : null;
}

/** There was no response: no network, or the connection broke. */
export class NoAnswer extends Error {
  constructor(cause: unknown) {
    super("No answer", { cause });
  }
}

/** Nobody can say whether what was asked for was done: no answer came, or one of a program in
 *  between, or of a shop that broke on the way. */
export function isUnanswered(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status >= 500;
}

/** Only a gateway answered: the shop is being started, or has more to do than it can. */
export function isAway(error: unknown): boolean {
  return error instanceof ApiError && [502, 503, 504].includes(error.status);
}

export function isObject(value: unknown): value is FieldErrors {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function firstSentence(value: unknown): string | null {
  if (typeof value === "string") return value || null;
  // Of a list of inputs: `{"1": ["…"]}`, by their places.
  const parts = isObject(value) ? Object.values(value) : value;
  if (Array.isArray(parts)) {
    for (const each of parts) {
      const said = firstSentence(each);
      if (said) return said;
    }
  }
  return null;
}

/** The error of each line of an order, in the order sent, or null: from `[{}, {number: ["…"]}]`. */
export function lineErrors(error: unknown): (string | null)[] {
  const lines = error instanceof ApiError && error.status === 400 ? error.body.order : null;
  if (!Array.isArray(lines)) return [];
  return lines.map((line) =>
    isObject(line) ? (Object.values(line).map(firstSentence).find(Boolean) ?? null) : null,
  );
}
