import { type RefObject, useEffect } from "react";

/** After an error, focus the first invalid field of a form. */
export function useFirstError(form: RefObject<HTMLFormElement | null>, error: Error | null): void {
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [form, error]);
}
