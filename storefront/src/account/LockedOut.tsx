import { Plural } from "@lingui/react/macro";
import type { ApiError } from "../api/errors";

/** Too many failed attempts: says when the next one is possible. */
export function LockedOut({ error }: { error: ApiError }) {
  const minutes = Math.ceil((error.retryAfter ?? 300) / 60);
  return (
    <p className="notice bad" role="alert">
      <Plural
        value={minutes}
        one="Too many failed attempts. Try again in # minute."
        other="Too many failed attempts. Try again in # minutes."
      />
    </p>
  );
}
