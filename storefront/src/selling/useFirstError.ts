import { type RefObject, useEffect } from "react";

/** The first field that the shop refused is where the typing goes on. */
export function useFirstError(form: RefObject<HTMLFormElement | null>, error: Error | null): void {
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [form, error]);
}
