import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { open, read } from "../api/client";
import { productPath } from "../catalogue/categories";
import { money } from "../i18n/format";
import { Icon } from "../ui/Icon";

/** What is typed is looked up after a pause, from three letters on: searches are counted. */
const PAUSE = 350;
const SHORTEST = 3;
const SHOWN = 5;

/** Search with suggestions: a combobox by the ARIA pattern. */
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
  const found = useSuggestions(isOpen ? term.trim() : "");
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page has another term
  useEffect(() => {
    setTerm(searched);
    setOpen(false);
    setAt(-1);
  }, [searched, pathname]);

  const search = () => {
    setOpen(false);
    input.current?.blur();
    navigate(`/search?search=${encodeURIComponent(term.trim())}`);
  };
  const choose = (chosen: (typeof found)[number]) => {
    setOpen(false);
    input.current?.blur();
    navigate(productPath(chosen));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event;
    if (key === "Escape") setOpen(false);
    if ((key === "ArrowDown" || key === "ArrowUp") && found.length > 0) {
      event.preventDefault();
      const step = key === "ArrowDown" ? 1 : -1;
      // One place more than there are: none of them is chosen there.
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
        else search();
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
        aria-expanded={isOpen && found.length > 0}
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
      <button type="submit" aria-label={t`Search now`}>
        <Icon name="search" />
      </button>
      <div
        className="found"
        id={list}
        role="listbox"
        aria-label={t`Suggestions`}
        hidden={!isOpen || found.length === 0}
      >
        {found.map((each, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus
          // biome-ignore lint/a11y/useKeyWithClickEvents: arrows and Enter are the field's
          <div
            key={each.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            // Before the field loses the focus and closes the list.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(each)}
          >
            {each.thumbnail && <img src={each.thumbnail} alt="" width="40" height="40" />}
            <span className="name">{each.name}</span>
            <span className="money small">{money(each.price)}</span>
          </div>
        ))}
      </div>
      <span className="hidden" role="status">
        {isOpen && found.length > 0 && <Trans>{found.length} suggestions</Trans>}
      </span>
    </form>
  );
}

function useSuggestions(term: string) {
  const [paused, setPaused] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setPaused(term), PAUSE);
    return () => clearTimeout(timer);
  }, [term]);
  const query = useQuery({
    queryKey: ["suggestions", paused],
    queryFn: () =>
      read(
        open.GET("/product/search/", {
          params: { query: { search: paused, page_size: SHOWN } as object },
        }),
      ),
    enabled: paused.length >= SHORTEST,
    retry: false,
    staleTime: 60_000,
  });
  return term && paused.length >= SHORTEST ? (query.data ?? []).slice(0, SHOWN) : [];
}
