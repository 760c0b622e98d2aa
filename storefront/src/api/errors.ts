/** What can go wrong with a request, in one shape for every page. */

/** `{field: ["…"]}`, nested where the input is nested: the order's lines are a list of these. */
export type FieldErrors = { readonly [field: string]: unknown };

/** The API answered, and not with what was asked for. */
export class ApiError extends Error {
  readonly status: number;
  /** Stable, for programs; "" where the answer names fields instead. */
  readonly code: string;
  /** The whole body, for what a code names beside itself. */
  readonly body: FieldErrors;
  /** Seconds to wait, where the answer said so. */
  readonly retryAfter: number | null;
  /** What to tell the shop's staff. */
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

  /** The first sentence about a field, or null. */
  field(name: string): string | null {
    return firstSentence(this.body[name]);
  }

  /** What is wrong with no field in particular, or null. */
  get general(): string | null {
    return firstSentence(this.body.non_field_errors) ?? firstSentence(this.body.detail);
  }
}

/** No answer came: no network, or it broke off. */
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
  if (Array.isArray(value)) {
    for (const each of value) {
      const said = firstSentence(each);
      if (said) return said;
    }
  }
  return null;
}

/** What is wrong with each line of an order, in the order sent: `[{}, {number: ["…"]}]`. */
export function lineErrors(error: unknown): (string | null)[] {
  const lines = error instanceof ApiError && error.status === 400 ? error.body.order : null;
  if (!Array.isArray(lines)) return [];
  return lines.map((line) =>
    isObject(line) ? (Object.values(line).map(firstSentence).find(Boolean) ?? null) : null,
  );
}
