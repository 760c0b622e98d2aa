import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { suggestQuery } from "../api/queries";
import { productPath } from "../catalogue/categories";
import { money } from "../i18n/format";
import { Icon } from "../ui/Icon";

/** The pause in typing after which suggestions are fetched, milliseconds. */
const PAUSE = 250;
/** The shortest term with suggestions, in letters. */
const SHORTEST = 2;
/** At most how many search terms are suggested. */
const WORDS = 4;

export type Suggestion = {
  id: string;
  name: string;
  /** Its page, below /shop. */
  path: string;
  /** Undefined for a suggested search, which is not a product. */
  price?: number;
  thumbnail?: string | null;
};

/** The list below the search box, which keeps the focus. `tell` passes it the suggestions; `at` is the
 *  index of the chosen one. */
export default function Suggestions({
  term,
  list,
  at,
  tell,
  choose,
}: {
  term: string;
  list: string;
  at: number;
  tell: (found: Suggestion[]) => void;
  choose: (chosen: Suggestion) => void;
}): ReactNode {
  const { t } = useLingui();
  const found = useSuggestions(term);
  useEffect(() => tell(found), [tell, found]);
  return (
    <>
      <div
        className="found"
        id={list}
        role="listbox"
        aria-label={t`Suggestions`}
        hidden={found.length === 0}
      >
        {found.map((each, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus
          // biome-ignore lint/a11y/useKeyWithClickEvents: arrows and Enter are the field's
          <div
            key={each.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            // Keeps the focus in the field: losing it would close the list before the click.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(each)}
          >
            {each.price === undefined ? (
              <Icon name="search" />
            ) : each.thumbnail ? (
              <img src={each.thumbnail} alt="" width="40" height="40" />
            ) : (
              <span className="no-picture" />
            )}
            <span className="name">{each.name}</span>
            {each.price !== undefined && <span className="money small">{money(each.price)}</span>}
          </div>
        ))}
      </div>
      <span className="hidden" role="status">
        {found.length > 0 && <Trans>{found.length} suggestions</Trans>}
      </span>
    </>
  );
}

const NONE: Suggestion[] = [];

/** Suggestions for a term: searches first, then products. */
function useSuggestions(term: string): Suggestion[] {
  const [paused, setPaused] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setPaused(term), PAUSE);
    return () => clearTimeout(timer);
  }, [term]);
  const { data } = useQuery({
    ...suggestQuery(paused),
    enabled: paused.length >= SHORTEST,
    select: inOneRow,
  });
  return term && paused.length >= SHORTEST ? (data ?? NONE) : NONE;
}

type Answer = Awaited<ReturnType<NonNullable<ReturnType<typeof suggestQuery>["queryFn"]>>>;

function inOneRow({ words, products }: Answer): Suggestion[] {
  return [
    ...words.slice(0, WORDS).map((word) => ({
      id: word,
      name: word,
      path: `/search?search=${encodeURIComponent(word)}`,
    })),
    ...products.map((product) => ({
      ...product,
      id: String(product.id),
      path: productPath(product),
    })),
  ];
}
