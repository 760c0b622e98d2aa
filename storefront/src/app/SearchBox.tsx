import { useLingui } from "@lingui/react/macro";
import { type KeyboardEvent, lazy, Suspense, useEffect, useId, useRef, useState } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { Icon } from "../ui/Icon";
import type { Suggestion } from "./Suggestions";

/** Loaded when the user begins to type. If the file cannot be loaded, there are no suggestions. */
const Suggestions = lazy(() => import("./Suggestions").catch(() => ({ default: () => null })));

/** The search field with suggestions: ARIA's combobox pattern. */
export function SearchBox() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [params] = useSearchParams();
  const searched = pathname === "/search" ? (params.get("search") ?? "") : "";
  const [term, setTerm] = useState(searched);
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const [known, setFound] = useState<Suggestion[]>([]);
  const found = isOpen && term.trim() ? known : [];
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page has another term
  useEffect(() => {
    setTerm(searched);
    setOpen(false);
    setAt(-1);
  }, [searched, pathname]);

  const goTo = (path: string) => {
    setOpen(false);
    input.current?.blur();
    navigate(path);
  };
  const choose = (chosen: Suggestion) => goTo(chosen.path);
  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event;
    if (key === "Escape") setOpen(false);
    if ((key === "ArrowDown" || key === "ArrowUp") && found.length > 0) {
      event.preventDefault();
      const step = key === "ArrowDown" ? 1 : -1;
      // One position more than there are suggestions: there, none is chosen (-1).
      const places = found.length + 1;
      setAt(((at + 1 + step + places) % places) - 1);
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: the search element is not in old WebViews
    <form
      className="search"
      role="search"
      action="/shop/search"
      onSubmit={(event) => {
        event.preventDefault();
        const chosen = found[at];
        if (chosen) choose(chosen);
        else goTo(`/search?search=${encodeURIComponent(term.trim())}`);
      }}
    >
      <input
        ref={input}
        className="input"
        type="search"
        name="search"
        maxLength={100}
        enterKeyHint="search"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        placeholder={t`Search`}
        aria-label={t`Search`}
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={at >= 0 ? `${list}-${at}` : undefined}
        value={term}
        onChange={(event) => {
          setTerm(event.target.value);
          setOpen(true);
          setAt(-1);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setOpen(false)}
      />
      <button type="submit" aria-label={t`Search`}>
        <Icon name="search" />
      </button>
      {isOpen && term.trim() && (
        <Suspense>
          <Suggestions term={term.trim()} list={list} at={at} tell={setFound} choose={choose} />
        </Suspense>
      )}
    </form>
  );
}
