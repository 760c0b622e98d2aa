import { Plural, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { categoriesQuery } from "../api/queries";
import { Picture } from "../ui/Picture";
import { CATEGORIES } from "./categories";

/** Links to all categories, each with a picture and its number of listings, which are loaded once
 *  `isSeen`. Until then of the same size: the footer below would move away from under a finger. */
export function CategoryTiles({ isSeen }: { isSeen: boolean }) {
  const { t, i18n } = useLingui();
  const { data } = useQuery({ ...categoriesQuery, enabled: isSeen });
  return (
    <nav className="tiles" aria-label={t`All categories`}>
      {Object.entries(CATEGORIES).map(([key, label]) => {
        const known = data?.find((each) => each.key === key);
        const count = known?.for_sale ?? 0;
        return (
          <Link key={key} className="tile" to={`/category/${key}`}>
            <Picture src={known?.thumbnail ?? null} />
            <strong>{i18n._(label)}</strong>
            <span className="quiet small">
              {known ? <Plural value={count} one="# product" other="# products" /> : "\u00a0"}
            </span>
          </Link>
        );
      })}
    </nav>
  );
}
